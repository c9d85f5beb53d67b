"""What keeps a process from its start is said in one sentence, by each command alike; what is odd is named."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT, RunningApp

COMMANDS = {
    "app": ["app.py"],
    "workers": ["-m", "workers", "users", "list"],
    "anomalyloop": ["-m", "anomalyloop", "score", "x"],  # the engine's own command line knows no settings
}
PASSWORD = "tr0ub4dor-and-3"


def said(command: str, home: Path, **settings: str) -> str:
    """What a command that can't start says; nothing else, and no traceback."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANOMALYLOOP_")}
    environment |= {"ANOMALYLOOP_HOME": str(home), **{f"ANOMALYLOOP_{k.upper()}": v for k, v in settings.items()}}
    ended = subprocess.run(
        [sys.executable, *COMMANDS[command]], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode in (1, 2), ended.stderr
    words = ended.stdout + ended.stderr
    assert "Traceback" not in words and PASSWORD not in words, words
    return ended.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("command", list(COMMANDS))
def test_a_setting_that_can_not_be_used(command: str, tmp_path: Path) -> None:
    assert "ANOMALYLOOP_PORT: Input should be a valid integer" in said(command, tmp_path, port="x")
    words = said(command, tmp_path, database_url=f"postgres://a:{PASSWORD}@127.0.0.1/x")
    assert "postgresql+psycopg://" in words and "ANOMALYLOOP_DATABASE_URL" in words


@pytest.mark.parametrize("command", ["app", "workers"])
def test_a_database_that_is_away(command: str, tmp_path: Path) -> None:
    words = said(command, tmp_path, database_url=f"postgresql+psycopg://a:{PASSWORD}@127.0.0.1:1/x")
    assert "The database can't be used" in words and "ANOMALYLOOP_DATABASE_URL" in words


@pytest.mark.parametrize("command", ["app", "workers"])
def test_a_file_that_is_no_database(command: str, tmp_path: Path) -> None:
    (tmp_path / "anomalyloop.db").write_bytes(b"this is not a database, it only looks so" * 100)
    assert "damaged" in said(command, tmp_path)


@pytest.mark.parametrize("command", ["app", "workers"])
def test_a_database_of_a_newer_version(command: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "anomalyloop.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999_the_future')")
    assert "newer version" in said(command, tmp_path)


def test_a_misspelt_setting_is_named_with_the_nearest_right_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from settings import misspelt

    for name in [name for name in os.environ if name.startswith("ANOMALYLOOP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ANOMALYLOOP_BACKBON", "x")
    monkeypatch.setenv("ANOMALYLOOP_database_url_fil", "x")
    monkeypatch.setenv("ANOMALYLOOP_HOME", "x")
    monkeypatch.setenv("ANOMALYLOOP_QQQQ", "x")
    assert misspelt() == [
        "There is no setting ANOMALYLOOP_BACKBON; it is passed over. Is ANOMALYLOOP_BACKBONE meant?",
        "There is no setting ANOMALYLOOP_QQQQ; it is passed over.",
        "There is no setting ANOMALYLOOP_database_url_fil; it is passed over. Is ANOMALYLOOP_DATABASE_URL_FILE meant?",
    ]


def test_an_odd_folder_a_proxy_and_a_misspelt_setting_keep_nothing_from_starting(
    tmp_path: Path, tiny_backbone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    monkeypatch.setenv("all_proxy", "socks5://127.0.0.1:1")
    home = tmp_path / "100% of?a #folder::here"
    app = RunningApp(home, tiny_backbone, sesion_hours="3")
    try:
        assert app.client.post("/api/v1/images/samples", json={}).status_code == 201
        assert app.client.get("/api/v1/images/1/display").status_code == 200
        assert (home / "anomalyloop.db").stat().st_size and any((home / "blobs").rglob("*"))
        assert "Is ANOMALYLOOP_SESSION_HOURS meant?" in app.log
    finally:
        app.end()
