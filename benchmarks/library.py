"""How long the Library and the queue take with many images: `python -m benchmarks.library [--database-url URL]`.

Fills an empty database with rows (no files: lists don't read any) and asks REST for pages, as the page does. Without a
URL it is SQLite in a temporary folder; with one, that database too, which must be empty.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.machine import machine, markdown_table

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from sqlalchemy import Engine

REPEATS = 9
# What the page asks for: a page of 50 with its counts, 500 when it looks at a long list again.
QUESTIONS = {
    "newest first": "",
    "newest first, 500": "limit=500",
    "what to correct next": "order=uncertain&status=to_review",
    "what to correct next, 500": "order=uncertain&status=to_review&limit=500",
    "highest score first": "order=score",
    "corrected": "status=corrected",
    "not scored": "status=failed",
    "verdict anomalous, what to correct next": "verdict=anomalous&order=uncertain",
    "label normal": "label=normal",
    "score 0.4–0.6, to review": "min_score=0.4&max_score=0.6&status=to_review",
    "file name, some": "name=part-97",
    "file name, none, highest score first": "name=nothing&order=score",
}


def main() -> None:
    """Measure each database in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000, help="rows to fill in (default: %(default)s)")
    parser.add_argument("--database-url", default="", help="an empty database to measure beside SQLite")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.images)))
        return
    urls = {"SQLite": ""} | ({options.database_url.split(":")[0]: options.database_url} if options.database_url else {})
    found = {name: _in_process(url, options.images) for name, url in urls.items()}
    print(f"{machine()}\n\n{options.images:,} images, 2 % of them corrected; median of {REPEATS}, in ms:\n")
    rows = [[question, *(found[name][question] for name in found)] for question in next(iter(found.values()))]
    print(markdown_table(["question", *found], rows))


def _in_process(url: str, images: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "ANOMALYLOOP_HOME": home, "ANOMALYLOOP_DATABASE_URL": url}
        command = [sys.executable, "-m", "benchmarks.library", "--measure", "--images", str(images)]
        answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


def measure(images: int) -> dict[str, float]:
    """Fill the database of the settings, and time every question: name → ms."""
    from fastapi.testclient import TestClient

    from db.migrate import migrate
    from settings import get_settings
    from webapp.server import build_api
    from workers.context import get_store

    migrate(get_settings().resolved_database_url)
    image_id = fill(images)
    if get_store().database.engine.dialect.name == "postgresql":
        _tidy(get_store().database.engine)
    client = TestClient(build_api())
    times = {name: _median_ms(partial(_ask, client, f"/api/v1/images?{query}")) for name, query in QUESTIONS.items()}
    times["one image"] = _median_ms(partial(_ask, client, f"/api/v1/images/{image_id}"))
    times["the threshold's histogram"] = _median_ms(partial(_ask, client, "/api/v1/threshold"))
    thresholds = iter(range(400, 500))
    times["another threshold"] = _median_ms(
        lambda: client.put("/api/v1/threshold", json={"threshold": next(thresholds) / 1000}).raise_for_status()
    )
    get_store().database.close()
    return times


def _tidy(engine: "Engine") -> None:
    """What PostgreSQL's autovacuum does within a minute; a server may have it off."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _ask(client: "TestClient", path: str) -> None:
    client.get(path).raise_for_status()


def _median_ms(ask: Callable[[], object]) -> float:
    ask()  # the first one imports, plans and warms caches
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        ask()
        times.append(1000 * (time.perf_counter() - started))
    return round(statistics.median(times), 1)


def fill(count: int) -> int:
    """A project with so many images, all but a few scored, 2 % corrected; returns the id of one of them."""
    from sqlalchemy import insert

    from db.images.review_queue import expected_gain
    from db.projects.projects import ensure_project
    from db.tables.core import LABELS, Annotation, Image, Prediction
    from db.training.prompt_versions import activate, add_version
    from workers.context import get_store

    draw = random.Random(0)
    with get_store().session() as session:
        project_id = ensure_project(session, "default").id
        key = f"00/{'0' * 64}"
        version = add_version(
            session,
            project_id=project_id,
            origin="shipped",
            blob_key=key,
            sha256="0" * 64,
            backbone_name="embedded",
            backbone_fingerprint="f" * 64,
        )
        activate(session, version.id)

        def prediction(image_id: int) -> dict[str, Any]:
            score, uncertainty, novelty = draw.betavariate(2, 3), draw.random(), draw.random()
            return {
                "image_id": image_id,
                "prompt_version_id": version.id,
                "score": score,
                "map_blob_key": f"{image_id % 256:02x}/{image_id:064x}",
                "map_max": score,
                "map_uncertainty": uncertainty,
                "novelty": novelty,
                "expected_gain": expected_gain(score, uncertainty, novelty, 0.5),
                "engine_settings": {"backbone": "embedded", "image_size": 256, "layers": [3, 6, 9, 12]},
            }

        for start in range(0, count, 10_000):
            rows = [_image(project_id, number) for number in range(start, min(start + 10_000, count))]
            ids = list(session.scalars(insert(Image).returning(Image.id), rows))
            scored = [image_id for number, image_id in enumerate(ids) if number % 1000]
            session.execute(insert(Prediction), [prediction(image_id) for image_id in scored])
            corrected = [image_id for image_id in scored if draw.random() < 0.02]
            label = {"revision": 1, "source": "drawn"}
            session.execute(
                insert(Annotation), [{"image_id": one, "label": draw.choice(LABELS), **label} for one in corrected]
            )
        return ids[-1]


def _image(project_id: int, number: int) -> dict[str, Any]:
    sha256 = f"{number:064x}"
    return {
        "project_id": project_id,
        "sha256": sha256,
        "blob_key": f"{sha256[-2:]}/{sha256}",
        "file_name": f"part-{number % 977}-{number}.png",
        "byte_size": 100_000,
        "width": 1024,
        "height": 768,
        "scoring_error": "The file is damaged." if number % 2000 == 0 else None,
    }


if __name__ == "__main__":
    main()
