"""One, two and three Celery workers over the same images: `python -m benchmarks.workers`.

PostgreSQL, Redis, and an engine that sleeps (50 ms an image): what is measured is how work is shared. Each row has a
database of its own; the images are uploaded before the first message is sent. `TEST_POSTGRES_URL` names another server.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import numpy as np
from PIL import Image as Picture
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url

from benchmarks.machine import machine, markdown_table
from benchmarks.sleeping_engine import add_its_version, install
from db.migrate import migrate
from db.projects.projects import ensure_project, list_projects
from db.store import Store, open_store
from db.tables.core import Prediction

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")
REDIS = "redis://127.0.0.1:6379/14"
# Images for each worker before the clock starts: a process is slow at its first ones.
_WARM = 24


def main() -> None:
    """Print the table; or (for itself, in a process of its own) be a worker."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--ms", type=float, default=50.0, help="that the engine sleeps for an image")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--turns", type=int, default=3, help="the median of so many is shown")
    parser.add_argument("--worker", nargs=3, metavar=("NAME", "SECONDS", "LOG"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        name, seconds, log = arguments.worker
        be_worker(name, float(seconds), Path(log))
        return
    os.environ["ANOMALYLOOP_BROKER_URL"] = REDIS  # before the settings are read: messages go there
    rows: list[list[object]] = []
    for count in arguments.workers:
        found = [measure(count, arguments.images, arguments.ms / 1000) for _ in range(arguments.turns)]
        seconds, encodings = float(np.median([one[0] for one in found])), max(one[1] for one in found)
        first = seconds if not rows else float(rows[0][1])  # type: ignore[arg-type]
        rows.append([count, seconds, arguments.images / seconds, first / seconds, encodings])
    head = ["workers", f"s for {arguments.images} images", "images/s", "times one", "encodings"]
    print(f"{machine()}\n\n{markdown_table(head, rows)}")


def be_worker(name: str, seconds: float, log: Path) -> None:
    """A real Celery worker of the queue `scoring`, with the engine that sleeps."""
    from workers.celery_app import celery_app

    install(seconds, log)
    celery_app.worker_main(["worker", "-n", f"{name}@%h", "-Q", "scoring", "--without-mingle", "--without-gossip"])


def measure(count: int, images: int, seconds: float) -> tuple[float, int]:
    """Seconds from the first message to the last prediction, and how many images were encoded for it."""
    from workers.broker import dispatch

    with tempfile.TemporaryDirectory() as folder, schema() as database_url:
        home, log = Path(folder), Path(folder) / "encoded.txt"
        environment = environment_of(home, database_url, REDIS)
        migrate(database_url)
        store = open_store(database_url, f"file://{home / 'blobs'}")
        add_version(store)
        with running(count, environment, seconds, log):
            warm = _WARM * count
            dispatch.request_scoring(fill(store, range(warm)))
            wait_for(store, warm)
            time.sleep(1.0)  # until the last of them has looked once more, and found nothing
            ids = fill(store, range(warm, warm + images))
            began = time.perf_counter()
            dispatch.request_scoring(ids)
            wait_for(store, warm + images)
            taken = time.perf_counter() - began
            time.sleep(1.0)  # whoever encodes an image a second time does so by now
        store.database.close()
        return taken, len(log.read_text().splitlines()) - warm


def add_version(store: Store) -> int:
    """The id of a project with the version of the engine that sleeps."""
    with store.session() as session:
        project_id = ensure_project(session, "default").id
    add_its_version(store, project_id)
    return project_id


def fill(store: Store, seeds: Iterable[int]) -> list[int]:
    """Upload small noisy images; returns their ids."""
    from workers.images.intake import add_upload

    with store.session(read_only=True) as session:
        [project] = list_projects(session)
    return [add_upload(store, project.id, f"{seed}.png", _png(seed)).image_id for seed in seeds]


def wait_for(store: Store, count: int) -> None:
    """Until there are so many predictions."""
    while scored(store) < count:
        time.sleep(0.01)


def _png(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Picture.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def environment_of(home: Path, database_url: str, broker_url: str) -> dict[str, str]:
    """What workers of this installation find in their environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANOMALYLOOP_")}
    ours = {"HOME": str(home), "DATABASE_URL": database_url, "BROKER_URL": broker_url, "BACKBONE": "embedded"}
    return {**kept, **{f"ANOMALYLOOP_{name}": value for name, value in ours.items()}}


@contextmanager
def running(
    count: int, environment: dict[str, str], seconds: float, log: Path
) -> Iterator[list["subprocess.Popen[bytes]"]]:
    """So many workers, all of them ready; ended at the end."""
    celery = [sys.executable, "-m", "celery", "-A", "workers.celery_app"]
    subprocess.run([*celery, "purge", "-f"], env=environment, check=True, capture_output=True)
    outputs = [log.with_name(f"worker{number}.txt") for number in range(count)]
    processes = []
    for number, output in enumerate(outputs):
        command = [sys.executable, "-m", "benchmarks.workers", "--worker", f"worker{number}", str(seconds), str(log)]
        with output.open("w") as file:
            processes.append(subprocess.Popen(command, env=environment, stdout=file, stderr=file))
    try:
        while not all(" ready." in output.read_text() for output in outputs):
            assert all(process.poll() is None for process in processes), outputs[0].read_text()
            time.sleep(0.1)
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def scored(store: Store) -> int:
    """How many predictions there are."""
    with store.session(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Prediction)) or 0


@contextmanager
def schema() -> Iterator[str]:
    """The URL of an empty PostgreSQL schema."""
    server, name = create_engine(POSTGRES), f"bench_{uuid4().hex}"
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    made = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={name}"})
    try:
        yield made.render_as_string(hide_password=False)
    finally:
        with server.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
        server.dispose()


if __name__ == "__main__":
    main()
