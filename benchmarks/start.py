"""From `python app.py` to the page and to the first score, on a warm disk: `python -m benchmarks.start`.

An image is uploaded as soon as the page answers. Each start has a data folder of its own; the first one, which warms
the disk, is not counted.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.machine import machine, markdown_table
from benchmarks.scorers import picture
from benchmarks.served import Served

_MOMENTS = ("page answers", "first score", "everything is ready")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="starts that count (default %(default)s)")
    arguments = parser.parse_args()
    starts = [one_start() for _ in range(arguments.repeats + 1)][1:]
    rows = [
        (name, *(f"{choose(values):.1f}" for choose in (statistics.median, min, max)))
        for name, values in zip(_MOMENTS, zip(*starts, strict=True), strict=True)
    ]
    print(f"{machine()}; embedded backbone\n")
    print(markdown_table(["seconds after `python app.py`", "median", "least", "most"], rows))


def one_start() -> tuple[float, float, float]:
    """Seconds until the page answers, until an image that came at once is scored, and until /readyz says ready."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "image.png"
        file.write_bytes(picture(0))
        served = Served(Path(folder) / "home")
        began = time.monotonic()
        served.start()
        try:
            _wait_for_page(served)
            page = time.monotonic() - began
            uploaded = served.upload([file])
            served.wait_until_scored([uploaded[0]["id"]])
            score = time.monotonic() - began
            served.wait_until_ready()
            return page, score, time.monotonic() - began
        finally:
            served.__exit__(None, None, None)


def _wait_for_page(served: Served, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if served.client.get(f"http://127.0.0.1:{served.port}/").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise TimeoutError(f"the page did not answer within {seconds:.0f} s: see {served.home / 'app.log'}")


if __name__ == "__main__":
    main()
