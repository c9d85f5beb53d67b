"""With a broker of one's own, `celery -A workers.celery_app worker` elsewhere does all the work."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.pictures import mask_png, png
from tests.running import ROOT, RunningApp, wait_until

BROKERS = {"Redis": "redis://127.0.0.1:6379/15", "RabbitMQ": "amqp://guest:guest@127.0.0.1:5672//"}


def answers(url: str) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 0), timeout=2).close()
    except OSError:
        return False
    return True


@pytest.fixture(params=list(BROKERS))
def broker_url(request: pytest.FixtureRequest) -> str:
    url = BROKERS[request.param]
    if not answers(url):
        pytest.skip(f"{request.param} does not answer at {url}")
    return url


@pytest.fixture
def worker(tmp_path: Path, tiny_backbone: str, broker_url: str) -> Iterator[subprocess.Popen]:
    """The command of the README, in a process of its own, with the schedule in it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANOMALYLOOP_")}
    environment |= {
        "ANOMALYLOOP_HOME": str(tmp_path / "home"),
        "ANOMALYLOOP_BACKBONE": tiny_backbone,
        "ANOMALYLOOP_BROKER_URL": broker_url,
    }
    celery = [sys.executable, "-m", "celery", "-A", "workers.celery_app"]
    subprocess.run([*celery, "purge", "-f"], cwd=ROOT, env=environment, check=True, capture_output=True)
    with (tmp_path / "worker.log").open("w") as log:
        process = subprocess.Popen(
            [*celery, "worker", "--beat", "--concurrency", "2"], cwd=ROOT, env=environment, stdout=log, stderr=log
        )
    yield process
    process.terminate()
    process.wait(60)


def test_the_whole_loop_by_a_worker_elsewhere(
    tmp_path: Path, tiny_backbone: str, broker_url: str, worker: subprocess.Popen
) -> None:
    app = RunningApp(tmp_path / "home", tiny_backbone, broker_url=broker_url)
    try:
        assert app.children() == {}
        wait_until(app.ready, "ready, with a worker elsewhere")
        files = [("files", (f"{seed}.png", png(seed))) for seed in range(4)]
        ids = [entry["id"] for entry in app.client.post("/api/v1/images", files=files).json()]

        def seen(image_id: int) -> dict:
            return app.client.get(f"/api/v1/images/{image_id}").json()

        wait_until(lambda: all(seen(image_id)["score"] is not None for image_id in ids), "scored")
        for image_id in ids:
            mask = mask_png(seen(image_id)["width"], seen(image_id)["height"], box=(10, 10, 40, 40))
            answer = app.client.put(f"/api/v1/images/{image_id}/annotation", files={"mask": mask})
            assert answer.status_code == 201
        run_id = app.client.post("/api/v1/runs", json={"project": "default", "epochs": 2}).json()["id"]

        def run() -> dict:
            return app.client.get(f"/api/v1/runs/{run_id}").json()

        wait_until(lambda: run()["state"] in ("succeeded", "failed"), "the end of the run")
        assert run()["state"] == "succeeded", run()["error"]
        assert run()["decision"]
    finally:
        app.end()
