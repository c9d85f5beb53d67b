"""What an installation needs that nobody sits at: its first admin, tables that are waited for, and signs of life."""

from pathlib import Path

import pytest

from db.accounts.users import find_user, has_admin
from db.migrate import is_current, migrate
from settings import get_settings
from tests.conftest import Installation
from workers.accounts.first_admin import ensure_first_admin
from workers.errors import BadPassword
from workers.operations.alive import touch
from workers.operations.command_line import main


def test_the_first_admin_comes_from_settings_once(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, store = get_settings(), installation.store
    ensure_first_admin(store, settings)
    assert not has_admin(store.database), "nobody was named"
    monkeypatch.setattr(settings, "first_admin", "Ada")
    monkeypatch.setattr(settings, "first_admin_password", "short")
    with pytest.raises(BadPassword):
        ensure_first_admin(store, settings)
    monkeypatch.setattr(settings, "first_admin_password", "correct horse battery")
    for _ in range(2):
        ensure_first_admin(store, settings)
    monkeypatch.setattr(settings, "first_admin", "eve")
    ensure_first_admin(store, settings)
    with store.session(read_only=True) as session:
        ada = find_user(session, "ada")
        assert ada is not None and ada.role == "admin" and find_user(session, "eve") is None


def test_who_waits_for_the_tables_changes_nothing(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def call(*arguments: str) -> int:
        monkeypatch.setattr("sys.argv", ["workers", *arguments])
        return main()

    url = get_settings().resolved_database_url
    assert call("migrate", "--wait", "1") == 1 and not is_current(url)
    assert call("migrate") == 0 and is_current(url)
    assert call("migrate", "--wait", "1") == 0
    migrate(url)


def test_a_process_without_a_port_leaves_a_sign_of_life(configured: Path) -> None:
    configured.mkdir(parents=True)
    touch("worker")
    assert [one.name.rpartition("-")[0] for one in configured.glob("alive-*")] == ["alive-worker"]
