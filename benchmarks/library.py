"""How long questions take with many images: `nice python -m benchmarks.library [--images N …] [--postgresql]`.

Each size has a database of its own, filled with rows alone (benchmarks/library_rows.py): SQLite in a temporary folder,
and with `--postgresql` a schema of the server of TEST_POSTGRES_URL. A million images take 4 GB.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from benchmarks.machine import machine, markdown_table

if TYPE_CHECKING:
    from sqlalchemy import Engine

REPEATS = 9
# Seconds after which a question is not asked again.
ENOUGH_SECONDS = 10.0


def main() -> None:
    """Measure each size and database in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.library", description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[10_000, 100_000], help="default: %(default)s")
    parser.add_argument("--postgresql", action="store_true", help="measure it beside SQLite")
    words = "time of this process's processor, which other work on the machine changes little; all that SQLite takes"
    parser.add_argument("--processor-time", action="store_true", help=words)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        clock = time.process_time if options.processor_time else time.perf_counter
        print(json.dumps(measure(options.images[0], clock)))
        return
    databases = ["SQLite", *(["PostgreSQL"] if options.postgresql else [])]
    more = ["--processor-time"] if options.processor_time else []
    found = {f"{name}, {size:,}": _in_process(name, size, more) for name in databases for size in options.images}
    print(f"{machine()}\n\nMedian of up to {REPEATS}, in ms, by database and images:\n")
    rows = [
        [question, *(f"{found[column][question]:.1f}" for column in found)] for question in next(iter(found.values()))
    ]
    print(markdown_table(["question", *found], rows))


def _in_process(database: str, images: int, more: list[str]) -> dict[str, float]:
    from benchmarks.workers import schema

    with tempfile.TemporaryDirectory() as home, schema() if database == "PostgreSQL" else nullcontext("") as url:
        environment = {**os.environ, "ANOMALYLOOP_HOME": home, "ANOMALYLOOP_DATABASE_URL": url}
        command = [sys.executable, "-m", "benchmarks.library", "--measure", "--images", str(images), *more]
        answer = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(answer.stdout.splitlines()[-1])


def measure(images: int, clock: Callable[[], float]) -> dict[str, float]:
    """Fill the database of the settings, and time every question: name → ms."""
    from fastapi.testclient import TestClient

    from benchmarks.library_questions import questions_of_page, questions_of_workers
    from benchmarks.library_rows import fill
    from db.migrate import migrate
    from settings import get_settings
    from webapp.server import build_api
    from workers.context import get_store

    migrate(get_settings().resolved_database_url)
    store = get_store()
    image_id = fill(store, images)
    _tidy(store.database.engine)
    calls = {**questions_of_workers(store, image_id), **questions_of_page(TestClient(build_api()), image_id)}
    times = {}
    for name, call in calls.items():
        times[name] = _median_ms(call, clock)
        print(f"{times[name]:10.1f} ms  {name}", file=sys.stderr)
    store.database.close()
    return times


def _tidy(engine: "Engine") -> None:
    """What PostgreSQL's autovacuum does within a minute, and a server may have off; SQLite has no part in it."""
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


def _median_ms(ask: Callable[[], object], clock: Callable[[], float]) -> float:
    ask()  # the first one imports, plans and warms caches
    times: list[float] = []
    while len(times) < REPEATS and sum(times) < 1000 * ENOUGH_SECONDS:
        started = clock()
        ask()
        times.append(1000 * (clock() - started))
    return round(statistics.median(times), 1)


if __name__ == "__main__":
    main()
