"""After a day's work with runs, kills and deletes in it, everything that is kept belongs together."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pictures import mask_png, png
from tests.running import ROOT, RunningApp, wait_until

# What happens in the middle of each run; nothing, where nothing is named.
HAPPENS = dict.fromkeys((2, 4, 9, 14, 16, 18), "cancel") | dict.fromkeys((5, 11), "kill")
HAPPENS |= dict.fromkeys((7, 15), "delete") | {13: "roll back"}
RUNS = 20
OVER = ("succeeded", "failed", "cancelled")


@pytest.fixture
def app(tmp_path: Path, tiny_backbone: str) -> Iterator[RunningApp]:
    app = RunningApp(tmp_path / "home", tiny_backbone, lease_seconds=2)
    yield app
    if app.process.poll() is None:
        app.end()


def test_after_twenty_runs_kills_and_deletes_there_is_nothing_to_mend(app: RunningApp, tmp_path: Path) -> None:
    day = Day(app)
    wait_until(app.ready, "ready")
    for seed in range(3):
        day.correct(seed)
    ended = [day.run(number, HAPPENS.get(number, "")) for number in range(RUNS)]
    assert ended.count("cancelled") == 6 and ended.count("succeeded") == RUNS - 6
    wait_until(day.all_scored, "all scored by the version in service")
    app.end()

    grow_old(tmp_path / "home" / "blobs")
    checked = on_command_line(app, "check", "--deep")
    assert (checked.returncode, checked.stdout) == (0, "All is well.\n")
    kept = on_command_line(app, "backup", str(tmp_path / "it.tar"))
    assert kept.returncode == 0 and kept.stdout.endswith("files of one moment.\n") and not kept.stderr


class Day:
    """What people and fate do to a running app."""

    def __init__(self, app: RunningApp) -> None:
        self.app, self.client = app, app.client
        self.images: list[int] = []
        self.happened: dict[str, Callable[[int], object]] = {
            "cancel": lambda run_id: self.client.post(f"/api/v1/runs/{run_id}/cancel"),
            "kill": self._kill,
            "delete": lambda run_id: self._delete(),
            "roll back": lambda run_id: self._activate("retired"),
        }

    def correct(self, seed: int) -> None:
        """A picture more, and what is wrong with it; every third is normal."""
        [image] = self.client.post("/api/v1/images", files={"files": (f"{seed}.png", png(seed))}).json()
        mask = mask_png(box=None if seed % 3 == 2 else (10, 20, 30, 50))
        said = self.client.put(f"/api/v1/images/{image['id']}/annotation", files={"mask": ("mask.png", mask)})
        assert said.status_code == 201, said.text
        self.images.append(image["id"])

    def run(self, number: int, happens: str) -> str:
        """A run over one correction more; how it ended. What came of it is put in service, or is retired again."""
        self.correct(100 + number)
        started = self.client.post("/api/v1/runs", json={"epochs": 5 if happens else 1})
        assert started.status_code == 202, started.text
        run_id = started.json()["id"]
        if happens:
            wait_until(lambda: self._run(run_id)["progress"] > 0.3, "in the middle of the run", seconds=60)
            self.happened[happens](run_id)
        wait_until(lambda: self._run(run_id)["state"] in OVER, "the run's end")
        if number % 4 == 0:
            self._activate("candidate")
        if number % 4 == 2:
            self._activate("retired")
        if len(self.images) > 3:
            self._delete()
        return str(self._run(run_id)["state"])

    def all_scored(self) -> bool:
        """Whether the version in service has seen every image."""
        return self.client.get("/api/v1/projects").json()[0]["images"]["unscored"] == 0

    def _run(self, run_id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/api/v1/runs/{run_id}").json()
        return found

    def _kill(self, run_id: int) -> None:
        os.kill(self.app.children()["worker"], signal.SIGKILL)
        wait_until(lambda: self._run(run_id)["attempt"] == 2, "taken by the next worker")

    def _delete(self) -> None:
        assert self.client.delete(f"/api/v1/images/{self.images.pop(0)}").status_code == 204

    def _activate(self, state: str) -> None:
        """Put the newest version of this state in service, if there is one."""
        versions = [one["id"] for one in self.client.get("/api/v1/prompts").json() if one["state"] == state]
        for version_id in versions[:1]:
            assert self.client.post(f"/api/v1/prompts/{version_id}/activate").status_code == 200


def grow_old(blobs: Path) -> None:
    """The check says nothing of what belongs to nothing until it is a day old: before, the schedule deletes it."""
    long_ago = time.time() - 2 * 86_400
    for file in blobs.rglob("*"):
        os.utime(file, (long_ago, long_ago))


def on_command_line(app: RunningApp, *words: str) -> "subprocess.CompletedProcess[str]":
    """`python -m workers` for the app's installation."""
    environment = {**os.environ, "ANOMALYLOOP_HOME": str(app.log_file.parent), "ANOMALYLOOP_BACKBONE": app.backbone}
    command = [sys.executable, "-m", "workers", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
