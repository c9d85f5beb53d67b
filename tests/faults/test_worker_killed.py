"""A worker that is killed in the middle of a run: the run ends well all the same, once, and nothing is lost."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pictures import mask_png, png
from tests.running import RunningApp, wait_until


@pytest.fixture
def app(tmp_path: Path, tiny_backbone: str) -> Iterator[RunningApp]:
    app = RunningApp(tmp_path / "home", tiny_backbone, lease_seconds=3)
    yield app
    app.end()


def test_the_run_goes_on_in_the_next_worker_and_ends_once(app: RunningApp) -> None:
    files = [("files", (f"{seed}.png", png(seed))) for seed in range(8)]
    ids = [one["id"] for one in app.client.post("/api/v1/images", files=files).json()]
    for image_id in ids:
        app.client.put(f"/api/v1/images/{image_id}/annotation", files={"mask": ("mask.png", mask_png())})
    wait_until(app.ready, "ready")
    run_id = app.client.post("/api/v1/runs", json={"epochs": 30}).json()["id"]

    def run() -> dict:
        return app.client.get(f"/api/v1/runs/{run_id}").json()

    wait_until(lambda: run()["progress"] > 0.35, "tuning")
    assert run()["state"] in ("running", "evaluating")
    os.kill(app.children()["worker"], signal.SIGKILL)
    wait_until(lambda: run()["attempt"] == 2, "taken by the next worker")
    wait_until(lambda: run()["finished_at"], "finished", seconds=300)
    assert run()["state"] == "succeeded", run()["error"]
    tuned = [one for one in app.client.get("/api/v1/prompts").json() if one["origin"] == "tuned"]
    assert [one["id"] for one in tuned] == [run()["candidate_version_id"]]
    annotations = [app.client.get(f"/api/v1/images/{image_id}").json()["annotation"] for image_id in ids]
    assert [one["revision"] for one in annotations] == [1] * len(ids)
