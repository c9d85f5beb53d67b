"""An evaluation in one go, and the same one killed half-way and run again: are the results the same to the byte?

`python -m benchmarks.resume [--out DIR] -- --all SETS --epochs 1 --image-size 64`: what follows `--` are the options of
`python -m engine evaluate`. Everything is left in DIR: `unbroken/`, `broken/`, and what both printed.
"""

import argparse
import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.machine import machine, markdown_table

RESULTS = ("results.json", "results.md", "report.html")


def evaluate(options: list[str], out: Path) -> subprocess.Popen[bytes]:
    """Start an evaluation into `out`; what it prints goes to `<out>.txt` and `<out>.log`."""
    command = [sys.executable, "-m", "engine", "evaluate", *options, "--out", str(out)]
    with out.with_suffix(".txt").open("wb") as printed, out.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(command, stdout=printed, stderr=log)


def finished(out: Path) -> int:
    """How many results (a method on a class) are there."""
    return len(list((out / "parts").glob("*.json")))


def kill_at(process: subprocess.Popen[bytes], out: Path, count: int) -> int:
    """Kill it, as a power cut would, when it has finished that many results; returns how many there are then."""
    while process.poll() is None and finished(out) < count:
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return finished(out)


def main() -> int:
    """Run both, compare, print; 1 where they differ or one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("resumed"), help="a new folder (default ./%(default)s)")
    parser.add_argument("options", nargs="+", help="of `python -m engine evaluate`, after --")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True)
    unbroken, broken = arguments.out / "unbroken", arguments.out / "broken"
    start = time.perf_counter()
    codes = [evaluate(arguments.options, unbroken).wait()]
    times = [time.perf_counter() - start]
    total = finished(unbroken)
    killed_at = kill_at(evaluate(arguments.options, broken), broken, total // 2)
    start = time.perf_counter()
    codes.append(evaluate(arguments.options, broken).wait())
    times.append(time.perf_counter() - start)
    if any(code == 2 for code in codes):
        print(f"An evaluation failed; see {unbroken}.log and {broken}.log.", file=sys.stderr)
        return 1
    same = {name: (unbroken / name).read_bytes() == (broken / name).read_bytes() for name in RESULTS}
    print(f"{total} results; {machine()}\n")
    rows = [("unbroken", total, times[0]), (f"killed with {killed_at}, run again", finished(broken), times[1])]
    print(markdown_table(["evaluation", "results", "seconds of the last run"], rows))
    print("\n" + "; ".join(f"{name}: {'equal' if equal else 'DIFFERENT'}" for name, equal in same.items()))
    return int(not all(same.values()))


if __name__ == "__main__":
    sys.exit(main())
