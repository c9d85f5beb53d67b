"""However the app ends, no process of it stays behind, and nothing that it acknowledged is lost."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.pictures import png
from tests.running import ROOT, RunningApp, alive, children, wait_until


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def app(home: Path, tiny_backbone: str) -> Iterator[RunningApp]:
    app = RunningApp(home, tiny_backbone)
    wait_until(lambda: len(app.children()) == 2, "worker and schedule started")
    yield app
    if app.process.poll() is None:
        app.end(signal.SIGKILL)


def assert_no_process_stays_behind(app: RunningApp, how: signal.Signals, status: int) -> None:
    pids = app.children().values()
    assert app.end(how) == status
    wait_until(lambda: not any(alive(pid) for pid in pids), "all children gone", seconds=10)


def test_ctrl_c_leaves_no_process_behind(app: RunningApp) -> None:
    assert_no_process_stays_behind(app, signal.SIGINT, 0)


def test_ctrl_c_while_it_still_starts_leaves_no_process_behind(home: Path, tiny_backbone: str) -> None:
    environment = {"ANOMALYLOOP_HOME": str(home), "ANOMALYLOOP_BACKBONE": tiny_backbone, "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen([sys.executable, "app.py", "--port", "0"], cwd=ROOT, env=environment)
    wait_until(lambda: len(children(process.pid)) == 2, "children started")
    pids = children(process.pid).values()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    wait_until(lambda: not any(alive(pid) for pid in pids), "all children gone", seconds=10)


def test_a_child_that_is_killed_is_started_again_and_ends_with_the_app(app: RunningApp) -> None:
    wait_until(app.ready, "ready")
    kill(app, "worker", beside="beat")
    kill(app, "beat", beside="worker")
    assert_no_process_stays_behind(app, signal.SIGTERM, 0)


def kill(app: RunningApp, role: str, *, beside: str) -> None:
    before = app.children()
    os.kill(before[role], signal.SIGKILL)
    wait_until(lambda: app.children().get(role, before[role]) != before[role], "started again")
    wait_until(app.ready, "ready again")
    assert app.children()[beside] == before[beside]
    assert f"The {role} (pid {before[role]}) ended by signal 9; it is started again" in app.log


def test_kill_9_during_uploads_loses_nothing_that_was_acknowledged(
    app: RunningApp, home: Path, tiny_backbone: str
) -> None:
    acknowledged: dict[int, str] = {}

    def upload(part: int) -> None:
        for number in range(10_000):
            data = png(1000 * part + number)
            try:
                answer = app.client.post("/api/v1/images", files=[("files", (f"{number}.png", data))])
            except httpx.TransportError:
                return
            if answer.status_code == 201:
                acknowledged[answer.json()[0]["id"]] = hashlib.sha256(data).hexdigest()

    threads = [threading.Thread(target=upload, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acknowledged) >= 30, "some uploads acknowledged")
    assert_no_process_stays_behind(app, signal.SIGKILL, -9)
    for thread in threads:
        thread.join()

    again = RunningApp(home, tiny_backbone)
    try:
        found = again.client.get("/api/v1/images", params={"limit": 500}).json()["items"]
        assert acknowledged.items() <= {one["id"]: one["sha256"] for one in found}.items()
        for image in found:  # acknowledged or not: what is listed is whole
            data = again.client.get(f"/api/v1/images/{image['id']}/display").content
            assert hashlib.sha256(data).hexdigest() == image["sha256"]
        wait_until(
            lambda: again.client.get("/api/v1/projects").json()[0]["images"]["unscored"] == 0, "all of them scored"
        )
        assert again.client.get("/api/v1/projects").json()[0]["images"]["failed"] == 0
    finally:
        again.end()
