"""What app.py refuses to start with, and what it says then."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from app import open_socket
from tests.running import ROOT, RunningApp


def start(*arguments: str, home: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run app.py where it can't start; returns how it ended."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANOMALYLOOP_")}
    environment |= {"ANOMALYLOOP_HOME": str(home), **{f"ANOMALYLOOP_{k.upper()}": v for k, v in settings.items()}}
    return subprocess.run(
        [sys.executable, "app.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )


def assert_refused(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    for word in ("AnomalyLoop did not start", *words):
        assert word in ended.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "8.8.8.8"])
def test_an_address_that_others_can_reach_is_refused_without_accounts(host: str, tmp_path: Path) -> None:
    ended = start("--host", host, home=tmp_path)
    assert_refused(ended, "accounts", "python -m workers users add NAME --role admin", "--host 127.0.0.1")


def test_the_address_may_come_from_the_environment_and_is_refused_as_well(tmp_path: Path) -> None:
    assert_refused(start(home=tmp_path, host="0.0.0.0"), "accounts")


def test_accounts_that_are_asked_for_need_an_admin_on_any_address(tmp_path: Path) -> None:
    assert_refused(start(home=tmp_path, auth="on"), "ANOMALYLOOP_AUTH is on", "users add NAME --role admin")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_refused(start("--port", str(port), home=tmp_path), str(port), "--port")


def test_answers_wait_for_no_acknowledgement_of_what_was_sent_before() -> None:
    with open_socket("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_setting_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    assert_refused(start(home=tmp_path, port="many"), "ANOMALYLOOP_PORT", "many")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: str) -> Iterator[RunningApp]:
    app = RunningApp(tmp_path_factory.mktemp("app") / "home", tiny_backbone)
    yield app
    assert app.end() == 0


def test_two_apps_on_one_data_folder_are_refused(app: RunningApp) -> None:
    home = app.log_file.parent
    assert_refused(start("--port", "0", home=home), "Another AnomalyLoop", "ANOMALYLOOP_HOME")


def test_it_says_what_it_does(app: RunningApp) -> None:
    for line in ("Data folder: ", "Bringing the database up to date", "Started the worker (pid ", "Ctrl-C ends it"):
        assert line in app.log


def test_a_connection_outlives_the_time_that_people_think(app: RunningApp) -> None:
    connection = HTTPConnection(app.client.base_url.host, app.client.base_url.port or 80)
    connection.connect()
    used = connection.sock
    for pause in (6, 0):  # seconds; a server closes an idle connection after 5 unless told otherwise
        connection.request("GET", "/healthz")
        with connection.getresponse() as answer:
            assert answer.status == 200 and answer.read()
        time.sleep(pause)
    assert connection.sock is used
    connection.close()
