"""Settings from files, and secrets that no log and no error shows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from settings import SettingFileError, Settings
from tests.running import ROOT, RunningApp
from tests.test_app import assert_refused, start

SECRET = "tr0ub4dor-and-3"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ANOMALYLOOP_")]:
        monkeypatch.delenv(name)


def test_any_setting_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("database_url", f"postgresql+psycopg://ada:{SECRET}@db/loop"), ("port", "8000")):
        (tmp_path / name).write_text(value + "\n")
        monkeypatch.setenv(f"ANOMALYLOOP_{name.upper()}_FILE", str(tmp_path / name))
    settings = Settings()
    assert settings.database_url == f"postgresql+psycopg://ada:{SECRET}@db/loop" and settings.port == 8000


def test_a_setting_in_the_environment_and_in_a_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANOMALYLOOP_PORT", "1")
    monkeypatch.setenv("ANOMALYLOOP_PORT_FILE", str(tmp_path / "port"))
    with pytest.raises(SettingFileError, match="Both ANOMALYLOOP_PORT_FILE and ANOMALYLOOP_PORT are set"):
        Settings()


def test_a_file_that_is_missing_is_named_and_the_app_does_not_start(tmp_path: Path) -> None:
    assert_refused(start(home=tmp_path, database_url_file="/none/such"), "ANOMALYLOOP_DATABASE_URL_FILE", "/none/such")


def test_a_secret_that_can_not_be_used_is_not_shown(tmp_path: Path) -> None:
    ended = start("--port", "0", home=tmp_path, database_url=f"nonsense://ada:{SECRET}@db/loop")
    assert ended.returncode == 1 and SECRET not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "settings",
    [
        {"database_url": f"postgresql+psycopg://ada:{SECRET}@127.0.0.1:1/none"},
        {"broker_url": f"redis://:{SECRET}@127.0.0.1:1/0"},
        {"broker_url": f"amqp://ada:{SECRET}@127.0.0.1:1//"},
    ],
    ids=["database", "redis", "rabbitmq"],
)
def test_a_service_that_can_not_be_reached_is_logged_without_its_password(tmp_path: Path, settings: dict) -> None:
    environment = {f"ANOMALYLOOP_{name.upper()}": value for name, value in settings.items()}
    environment |= {"ANOMALYLOOP_HOME": str(tmp_path), "ANOMALYLOOP_LOG_LEVEL": "DEBUG"}
    code = (
        "from workers.operations.logs import configure_logging; configure_logging('DEBUG')\n"
        "from workers.context import get_store; from workers.operations.readiness import readiness\n"
        "from workers.broker import dispatch; dispatch.request_run(1); print(readiness(get_store()))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    assert "be reached" in ended.stdout and SECRET not in ended.stdout + ended.stderr


def test_what_people_sign_in_with_is_in_no_log(tmp_path: Path, tiny_backbone: str) -> None:
    home, password = tmp_path / "home", "correct horse battery"
    environment = os.environ | {"ANOMALYLOOP_HOME": str(home)}

    def users(*words: str) -> str:
        command = [sys.executable, "-m", "workers", "users", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, input=password + "\n", capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    users("add", "ada", "--role", "admin")
    token = users("token", "ada")
    app = RunningApp(home, tiny_backbone, auth="on", log_level="DEBUG")
    try:
        page = {"origin": str(app.client.base_url).rstrip("/")}
        data = {"name": "ada", "password": password}
        cookie = app.client.post("/login", data=data, headers=page).cookies["anomalyloop"]
        app.client.post("/login", data={"name": SECRET, "password": SECRET}, headers=page)
        headers = {"authorization": f"Bearer {token}"}
        made = app.client.post("/api/v1/users/1/tokens", json={"name": "line 3"}, headers=headers).json()["token"]
        assert app.client.get("/api/v1/me", headers={"authorization": f"Bearer {made}"}).status_code == 200
    finally:
        app.end()
    for secret in (password, token, cookie, made, SECRET):
        assert secret not in app.log


def test_proxies_are_addresses_and_networks() -> None:
    assert Settings().proxies == ["127.0.0.1", "::1"]
    assert Settings(trusted_proxies=" 10.0.0.0/8 ,fd00::/8,").proxies == ["10.0.0.0/8", "fd00::/8"]
    for wrong in ("proxy", "10.0.0.1/8", "*"):
        with pytest.raises(ValidationError, match="no IP address and no network"):
            Settings(trusted_proxies=wrong)
