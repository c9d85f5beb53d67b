"""Injects each fault at random moments while people work, and counts what was acknowledged before and after.

    python -m benchmarks.faults --kills 50 --others 5 --json faults.json

With servers of its own, in a folder that is thrown away. The whole of it takes some 40 minutes.
"""

import argparse
import contextlib
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.faults.injecting import Result, inject
from benchmarks.faults.installations import Embedded, Fault, OnServers, small_disk
from benchmarks.faults.servers import Postgres, Redis, ServerMissing
from benchmarks.machine import markdown_table

_HEADER = (
    "fault", "times", "uploads: acknowledged → there", "corrections: acknowledged → there", "work again after, s",
    "what people were told meanwhile",
)  # fmt: skip


def main() -> int:
    """0 when nothing that was acknowledged is lost, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of each process (default %(default)s)")
    parser.add_argument("--others", type=int, default=5, help="of each other fault (default %(default)s)")
    parser.add_argument("--only", nargs="*", metavar="FAULT", help="the beginnings of the names of some faults")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for result in _all(Path(folder), arguments.kills, arguments.others, arguments.only):
            print(f"{result.fault}: {result.sentence()}", flush=True)
            results.append(result)
    print("\n" + markdown_table(_HEADER, [result.row() for result in results]))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=1) + "\n")
    return 0 if all(result.nothing_lost for result in results) else 1


def _all(folder: Path, kills: int, others: int, only: list[str] | None) -> Iterator[Result]:
    def wanted(fault: str) -> bool:
        return not only or any(fault.startswith(one) for one in only)

    yield from _embedded(folder / "embedded", kills, others, wanted)
    yield from _disk(folder / "disk", others, wanted)
    yield from _servers(folder / "servers", kills, others, wanted)


def _embedded(home: Path, kills: int, others: int, wanted) -> Iterator[Result]:  # type: ignore[no-untyped-def]
    app = Embedded(home)
    faults: list[tuple[str, Fault, int]] = [
        ("kill -9 of the app", app.kill_app, kills),
        ("kill -9 of the worker and of the schedule, in turn", app.kill_child, 2 * kills),
        ("broker loses everything (files)", app.empty_broker, others),
        ("place for files away", app.hide_blobs, others),
    ]
    yield from _on(app, [one for one in faults if wanted(one[0])])


def _disk(home: Path, others: int, wanted) -> Iterator[Result]:  # type: ignore[no-untyped-def]
    if not wanted("disk full"):
        return
    try:
        with small_disk(home):
            app = Embedded(home)
            yield from _on(app, [("disk full", app.fill_disk, others)])
    except PermissionError as error:
        print(f"disk full: not injected. {error}", file=sys.stderr)


def _servers(home: Path, kills: int, others: int, wanted) -> Iterator[Result]:  # type: ignore[no-untyped-def]
    names = (
        "database crashes (PostgreSQL)", "broker loses everything (Redis)", "kill -9 of the page (servers)",
        "kill -9 of the worker (servers)",
    )  # fmt: skip
    if not any(map(wanted, names)):
        return
    with contextlib.ExitStack() as stack:
        try:
            postgres = Postgres()
            stack.callback(postgres.stop)
            redis = Redis()
            stack.callback(redis.stop)
        except ServerMissing as error:
            print(f"{', '.join(names)}: not injected, as {error}.", file=sys.stderr)
            return
        app = OnServers(home, postgres, redis)
        faults = zip(
            names,
            (app.crash_database, app.crash_broker, app.kill_page, app.kill_worker),
            (others, others, kills, kills),
            strict=True,
        )
        yield from _on(app, [one for one in faults if wanted(one[0])])


def _on(app: Embedded | OnServers, faults: list[tuple[str, Fault, int]]) -> Iterator[Result]:
    if not faults:
        return
    with app:
        for name, fault, times in faults:
            yield inject(app, name, fault, times)


if __name__ == "__main__":
    sys.exit(main())
