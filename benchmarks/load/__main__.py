"""Many annotators at once on the whole product, on the loopback: errors, times, memory.

    python -m benchmarks.load --people 50 --minutes 5 --json load.json

Starts `python app.py` in a folder that is thrown away, with the embedded backbone, and Locust against it.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil

from benchmarks.load.pictures import photograph
from benchmarks.machine import machine, markdown_table
from benchmarks.served import ROOT, Served

_HEAD = ("request", "count", "errors", "median ms", "p95 ms", "p99 ms")
_SAMPLE_SECONDS = 5.0
# Pictures that are there when people come.
_START_WITH = 20


def main() -> int:
    """0 without an error of any request, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--people", type=int, default=50, help="annotators (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=5.0, help="(default %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder) / "home") as app:
        memory = _Memory(app.process.pid)
        rows = _load(app, Path(folder), arguments.people, arguments.minutes)
        used = memory.stop()
    print(f"{machine()}; {arguments.people} annotators for {arguments.minutes:g} min\n")
    print(markdown_table(_HEAD, rows))
    tenth = max(1, len(used) // 10)
    early, late = (sum(part) / len(part) for part in (used[2 * tenth : 3 * tenth] or used[-1:], used[-tenth:]))
    print(f"\nMemory of all processes: {early:.0f} MiB after a fifth of the time, {late:.0f} MiB at the end.")
    if arguments.json:
        figures = {"requests": [dict(zip(_HEAD, row, strict=True)) for row in rows], "memory_mib": used}
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 1 if any(int(row[2]) for row in rows) else 0


def _load(app: Served, folder: Path, people: int, minutes: float) -> list[tuple[str, ...]]:
    for number in range(_START_WITH):
        app.client.post("/images", files=[("files", (f"{number}.jpg", photograph()))]).raise_for_status()
    command = [sys.executable, "-m", "locust", "-f", "benchmarks/load/people.py", "--headless", "--only-summary"]
    command += ["--users", str(people), "--spawn-rate", "5", "--run-time", f"{round(60 * minutes)}s"]
    command += ["--host", f"http://127.0.0.1:{app.port}", "--csv", str(folder / "load"), "--exit-code-on-error", "0"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with (folder / "load_stats.csv").open() as file:
        found = list(csv.DictReader(file))
    keys = ("Name", "Request Count", "Failure Count", "50%", "95%", "99%")
    return [tuple(row[key] for key in keys) for row in found]


class _Memory:
    """Proportional memory of a process and all its children in MiB, every few seconds."""

    def __init__(self, pid: int) -> None:
        self._root = psutil.Process(pid)
        self._used: list[float] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> list[float]:
        """All samples."""
        self._ending.set()
        self._thread.join()
        return self._used

    def _sample(self) -> None:
        while not self._ending.wait(_SAMPLE_SECONDS):
            processes = [self._root, *self._root.children(recursive=True)]
            self._used.append(sum(one.memory_full_info().pss for one in processes) / 2**20)


if __name__ == "__main__":
    sys.exit(main())
