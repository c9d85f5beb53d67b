"""On servers: PostgreSQL and a broker, two page processes, and two workers of which each has its own queues."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.pictures import mask_png, png
from tests.running import ROOT, RunningApp, answers, wait_until

BROKERS = {"Redis": "redis://127.0.0.1:6379/15", "RabbitMQ": "amqp://guest:guest@127.0.0.1:5672//"}
QUEUES = (("scoring,default", "--beat"), ("tuning",))


@pytest.fixture(params=list(BROKERS))
def broker_url(request: pytest.FixtureRequest) -> str:
    url = BROKERS[request.param]
    if not answers(url):
        pytest.skip(f"{request.param} does not answer at {url}")
    return url


@pytest.fixture
def settings(tmp_path: Path, tiny_backbone: str, broker_url: str, postgres_url: str) -> dict[str, str]:
    """What all processes have in common."""
    return {
        "home": str(tmp_path / "home"),
        "backbone": tiny_backbone,
        "broker_url": broker_url,
        "database_url": postgres_url,
    }


@pytest.fixture
def workers(tmp_path: Path, settings: dict[str, str]) -> Iterator[list[subprocess.Popen]]:
    """One for scores, the schedule and the rest, one for runs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANOMALYLOOP_")}
    environment |= {f"ANOMALYLOOP_{name.upper()}": value for name, value in settings.items()}
    celery = [sys.executable, "-m", "celery", "-A", "workers.celery_app"]
    subprocess.run([*celery, "purge", "-f"], cwd=ROOT, env=environment, check=True, capture_output=True)
    processes = []
    for number, (queues, *options) in enumerate(QUEUES):
        command = [*celery, "worker", "-n", f"worker{number}@%h", "-Q", queues, *options]
        with (tmp_path / f"worker{number}.log").open("w") as log:
            processes.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log))
    yield processes
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(60)


@pytest.fixture
def pages(settings: dict[str, str]) -> Iterator[tuple[RunningApp, RunningApp]]:
    """Two copies of the page and of REST, as behind a proxy."""
    given = {name: value for name, value in settings.items() if name not in ("home", "backbone")}
    made = [RunningApp(Path(settings["home"]), settings["backbone"], **given) for _ in range(2)]
    yield made[0], made[1]
    for page in made:
        page.end()


def _a_verdict_in_one_call(page: RunningApp, seen: Callable[[int], dict], known: int) -> None:
    """A worker elsewhere answers, as the page's own process would; a file that is none is said to be so."""
    files = [("files", (name, data)) for name, data in (("0.png", png(0)), ("9.png", png(9)), ("bad.png", b"no"))]
    first, new, bad = page.client.post("/api/v1/inspect", files=files, data={"station": "north"}).json()
    assert (first["id"], first["duplicate"]) == (known, True)
    assert abs(first["score"] - seen(known)["score"]) < 1e-5 and first["verdict"] == seen(known)["verdict"]
    assert seen(new["id"])["score"] == new["score"] and new["station"] == "north" and "error" in bad


def test_the_whole_loop_on_two_pages_and_two_workers(
    workers: list[subprocess.Popen], pages: tuple[RunningApp, RunningApp]
) -> None:
    one, other = pages
    assert one.children() == other.children() == {}
    wait_until(lambda: one.ready() and other.ready(), "ready, with workers elsewhere")
    files = [("files", (f"{seed}.png", png(seed))) for seed in range(4)]
    ids = [entry["id"] for entry in one.client.post("/api/v1/images", files=files).json()]

    def seen(image_id: int) -> dict:
        return other.client.get(f"/api/v1/images/{image_id}").json()

    wait_until(lambda: all(seen(image_id)["score"] is not None for image_id in ids), "scored")
    _a_verdict_in_one_call(one, seen, ids[0])
    for image_id in ids:
        mask = mask_png(seen(image_id)["width"], seen(image_id)["height"], box=(10, 10, 40, 40))
        first, second = (
            page.client.put(f"/api/v1/images/{image_id}/annotation", files={"mask": mask}, headers={"If-Match": "0"})
            for page in (other, one)
        )
        assert (first.status_code, second.status_code) == (201, 409)
        assert second.json()["current_revision"] == 1
    run_id = one.client.post("/api/v1/runs", json={"project": "default", "epochs": 2}).json()["id"]

    def run() -> dict:
        return other.client.get(f"/api/v1/runs/{run_id}").json()

    wait_until(lambda: run()["state"] in ("succeeded", "failed"), "the end of the run")
    assert run()["state"] == "succeeded", run()["error"]
    metrics = other.client.get("/metrics").text
    assert "anomalyloop_workers 2.0" in metrics and "anomalyloop_broker_reachable 1.0" in metrics
