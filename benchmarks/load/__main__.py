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
    print("\nMemory without mapped files, after two fifths of the time and at the end:")
    for role, mib in used.items():
        tenth = max(1, len(mib) // 10)
        early, late = (sum(part) / len(part) for part in (mib[4 * tenth : 5 * tenth] or mib[-1:], mib[-tenth:]))
        print(f"- {role}: {early:.0f} and {late:.0f} MiB")
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
    """Memory of the page and of the worker in MiB, every few seconds: without files that they have mapped, as a run has
    the features of its images, and as the system takes back when it needs to.
    """

    def __init__(self, pid: int) -> None:
        self._page = psutil.Process(pid)
        self._used: dict[str, list[float]] = {"page": [], "worker": []}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> dict[str, list[float]]:
        """All samples."""
        self._ending.set()
        self._thread.join()
        return self._used

    def _sample(self) -> None:
        while not self._ending.wait(_SAMPLE_SECONDS):
            self._used["page"].append(_own(self._page))
            workers = [one for one in self._page.children() if one.cmdline()[-1] == "worker"]
            self._used["worker"].append(sum(map(_own, workers)))


def _own(process: psutil.Process) -> float:
    memory = process.memory_info()
    return (memory.rss - memory.shared) / 2**20


if __name__ == "__main__":
    sys.exit(main())
