"""What people feel of trouble that passes: an engine that fails for a while, and a writer that holds the database.

    python -m benchmarks.faults.standing_still

An engine of this process is broken for 10 s in the middle of 100 images, with nobody there who does anything; then
`python app.py` is looked at, over and over, while another process holds SQLite's lock for 5 s.
"""

import os
import sqlite3
import sys
import tempfile
import threading
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.faults.servers import wait_for
from benchmarks.machine import machine, markdown_table
from benchmarks.served import Served

IMAGES, BROKEN_SECONDS, HELD_SECONDS = 100, 10.0, 5.0
# What a browser asks for at each of the page's places, and what its header asks for every few seconds.
VIEWS = (
    "/", "/config", "/readyz", "/api/v1/images", "/api/v1/images/1", "/api/v1/images/1/thumbnail",
    "/api/v1/images/1/display", "/api/v1/images/1/map", "/api/v1/projects", "/api/v1/runs", "/api/v1/prompts",
    "/api/v1/threshold",
)  # fmt: skip


def main() -> int:
    """0 when all images are scored and every view came within 300 ms, else 1."""
    with tempfile.TemporaryDirectory() as folder:
        broken, all_scored = _broken_engine(Path(folder) / "broken")
        held, slowest = _lock_held(Path(folder) / "held")
    print(f"{machine()}\n")
    print(markdown_table(("what happens", "what is seen"), [broken, held]))
    return 0 if all_scored and slowest < 0.3 else 1


def _picture(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _broken_engine(home: Path) -> tuple[tuple[str, str], bool]:
    os.environ["ANOMALYLOOP_HOME"] = str(home)  # read when the settings are
    from db.images.rows import count_by_status
    from db.migrate import migrate
    from settings import get_settings
    from workers.context import get_store
    from workers.images.intake import add_upload
    from workers.projects.shipped_prompts import ensure_default_project
    from workers.scoring.background import BackgroundScorer
    from workers.scoring.engine_host import get_engine

    migrate(get_settings().resolved_database_url)
    store, engine = get_store(), get_engine()
    project_id = ensure_default_project(store, engine)
    for seed in range(IMAGES):
        add_upload(store, project_id, f"{seed}.png", _picture(seed))
    encode, calls, failures = engine.encode, [], [0]

    def breaking(pictures: Any, **options: Any) -> Any:
        calls.append(time.monotonic())
        if len(calls) > IMAGES // 16 and time.monotonic() - calls[IMAGES // 16] < BROKEN_SECONDS:
            failures[0] += 1
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return encode(pictures, **options)

    engine.encode = breaking  # type: ignore[method-assign, assignment]

    def counts() -> dict[str, int]:
        with store.session(read_only=True) as session:
            return count_by_status(session, project_id)

    scorer, began = BackgroundScorer(store), time.monotonic()
    scorer.start()
    wait_for(lambda: counts()["unscored"] == 0, "all scored", seconds=300)
    seconds = time.monotonic() - began
    scorer.stop()
    failed = counts()["failed"]
    store.database.close()
    seen = (
        f"{IMAGES - failed} scored after {seconds:.0f} s, {failed} failed; the engine failed {failures[0]} times, "
        "and nobody did anything"
    )
    return (f"engine broken for {BROKEN_SECONDS:.0f} s in the middle of {IMAGES} images", seen), failed == 0


def _lock_held(home: Path) -> tuple[tuple[str, str], float]:
    with Served(home) as app:
        app.stop_schedule()
        [first] = app.client.post("/images", files={"files": ("1.png", _picture(1))}).raise_for_status().json()
        app.wait_until_scored([first["id"]])
        site = str(app.client.base_url).removesuffix("/api/v1/")

        def look() -> dict[str, float]:
            times = {}
            for view in VIEWS:
                began = time.perf_counter()
                app.client.get(site + view).raise_for_status()
                times[view] = time.perf_counter() - began
            return times

        look()  # what is made once is there
        database = sqlite3.connect(home / "anomalyloop.db", isolation_level=None, check_same_thread=False)
        database.execute("BEGIN IMMEDIATE")
        release = threading.Timer(HELD_SECONDS, lambda: database.execute("ROLLBACK"))
        release.start()
        rounds = []
        while release.is_alive():
            rounds.append(look())
        database.close()
    slowest, view = max((seconds, view) for one in rounds for view, seconds in one.items())
    middle = float(np.median([seconds for one in rounds for seconds in one.values()]))
    seen = (
        f"{len(rounds) * len(VIEWS)} views of {len(VIEWS)} kinds: in the middle {1000 * middle:.0f} ms, the slowest "
        f"{1000 * slowest:.0f} ms ({view})"
    )
    return (f"SQLite's lock held by another process for {HELD_SECONDS:.0f} s", seen), slowest


if __name__ == "__main__":
    sys.exit(main())
