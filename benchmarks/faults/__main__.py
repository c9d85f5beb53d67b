"""Injects each fault at random moments while people work, and counts what was acknowledged before and after.

    python -m benchmarks.faults --kills 50 --others 5 --json faults.json

With servers of its own, in a folder that is thrown away. The whole of it takes over an hour.
"""

import argparse
import contextlib
import json
import random
import signal
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
_DISK = "disk full"
_SERVERS = (
    "database crashes (PostgreSQL)",
    "broker loses everything (Redis)",
    "kill -9 of the page (servers)",
    "kill -9 of the worker (servers)",
)


def main() -> int:
    """0 when nothing that was acknowledged is lost, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="of each process (default %(default)s)")
    parser.add_argument("--others", type=int, default=5, help="of each other fault (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=60.0, help="for each fault (default %(default)s)")
    parser.add_argument("--only", nargs="*", metavar="FAULT", help="the beginnings of the names of some faults")
    parser.add_argument("--seed", type=int, default=0, help="of the random moments (default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no server stays behind
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for result in _all(Path(folder), arguments):
            print(f"{result.fault}: {result.sentence()}", flush=True)
            results.append(result)
            if arguments.json:
                arguments.json.write_text(json.dumps([asdict(one) for one in results], indent=1) + "\n")
    print("\n" + markdown_table(_HEADER, [result.row() for result in results]))
    return 0 if all(result.nothing_lost for result in results) else 1


def _all(folder: Path, arguments: argparse.Namespace) -> Iterator[Result]:
    kills, others = arguments.kills, arguments.others

    def on(app: Embedded | OnServers, faults: list[tuple[str, Fault, int]]) -> Iterator[Result]:
        wanted = [one for one in faults if _wanted(arguments, one[0])]
        if wanted:
            with app:
                for name, fault, times in wanted:
                    yield inject(app, name, fault, times, seconds=60 * arguments.minutes)

    app = Embedded(folder / "embedded")
    yield from on(
        app,
        [
            ("kill -9 of the app", app.kill_app, kills),
            ("kill -9 of the worker and of the schedule, in turn", app.kill_child, 2 * kills),
            ("broker loses everything (files)", app.empty_broker, others),
            ("place for files away", app.hide_blobs, others),
        ],
    )
    if _wanted(arguments, _DISK):
        with _said(_DISK), small_disk(folder / "disk") as home:
            app = Embedded(home)
            yield from on(app, [(_DISK, app.fill_disk, others)])
    if any(_wanted(arguments, name) for name in _SERVERS):
        with _said(", ".join(_SERVERS)), contextlib.ExitStack() as stack:
            postgres = Postgres()
            stack.callback(postgres.stop)
            redis = Redis()
            stack.callback(redis.stop)
            page = OnServers(folder / "servers", postgres, redis)
            faults = (page.crash_database, page.crash_broker, page.kill_page, page.kill_worker)
            yield from on(page, list(zip(_SERVERS, faults, (others, others, kills, kills), strict=True)))


def _wanted(arguments: argparse.Namespace, name: str) -> bool:
    return not arguments.only or any(name.startswith(one) for one in arguments.only)


@contextlib.contextmanager
def _said(faults: str) -> Iterator[None]:
    """What can't be injected here is said, and the others are."""
    try:
        yield
    except (PermissionError, ServerMissing) as error:
        print(f"{faults}: not injected. {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
