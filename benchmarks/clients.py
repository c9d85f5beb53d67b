"""Many people at once against one after another, by REST: `python -m benchmarks.clients`.

A client uploads an image, waits until it is scored, and takes the next. The same number of images goes through one
client, and then through many at once; a client's wait is from the upload to the score. Another device or backbone is
taken from the settings (ANOMALYLOOP_DEVICE, ANOMALYLOOP_BACKBONE).
"""

import argparse
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.machine import machine, markdown_table
from benchmarks.scorers import picture
from benchmarks.served import Served
from settings import get_settings


@dataclass(frozen=True)
class Turn:
    """One way of bringing all images.

    Attributes:
        seconds: until the last one was scored.
        waits: of each image, in seconds.
    """

    seconds: float
    waits: list[float]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clients", description=__doc__)
    parser.add_argument("--clients", type=int, default=16, help="at once (default %(default)s)")
    parser.add_argument("--images", type=int, default=4, help="of each client (default %(default)s)")
    parser.add_argument("--repeats", type=int, default=2, help="turns of each kind (default %(default)s)")
    arguments = parser.parse_args()
    alone, together = [], []
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder) / "home") as served:
        files = _Pictures(Path(folder))
        take_turn(served, files, clients=1, images=4)  # warms up
        for _ in range(arguments.repeats):
            alone.append(take_turn(served, files, clients=1, images=arguments.clients * arguments.images))
            together.append(take_turn(served, files, clients=arguments.clients, images=arguments.images))
    total = arguments.clients * arguments.images
    print(f"{machine()}; backbone {get_settings().backbone}, device {get_settings().device}; {total} images\n")
    rows = [_row("one after another", total, alone), _row(f"{arguments.clients} at once", total, together)]
    print(markdown_table(["clients", "images/s", "wait, median s", "wait, 95 % s", "longest s"], rows))
    print(f"\nAt once is {_seconds(alone) / _seconds(together):.2f} times as many images a second.")


class _Pictures:
    """Files that the product has not seen before, so that nothing is scored from cached features."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._count = folder, 0

    def new(self, count: int) -> list[Path]:
        paths = []
        for _ in range(count):
            self._count += 1
            paths.append(self._folder / f"{self._count}.png")
            paths[-1].write_bytes(picture(self._count))
        return paths


def take_turn(served: Served, pictures: _Pictures, *, clients: int, images: int) -> Turn:
    """Clients that start together, each with its own images."""
    shares = [pictures.new(images) for _ in range(clients)]
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as threads:
        waits = list(threads.map(lambda share: _one_client(served, share), shares))
    return Turn(time.perf_counter() - began, [wait for some in waits for wait in some])


def _one_client(served: Served, files: list[Path]) -> list[float]:
    waits = []
    for file in files:
        began = time.perf_counter()
        uploaded = served.upload([file])
        served.wait_until_scored([uploaded[0]["id"]])
        waits.append(time.perf_counter() - began)
    return waits


def _seconds(turns: list[Turn]) -> float:
    return statistics.median(turn.seconds for turn in turns)


def _row(name: str, images: int, turns: list[Turn]) -> list[object]:
    waits = np.array([wait for turn in turns for wait in turn.waits])
    return [name, images / _seconds(turns), *np.percentile(waits, [50, 95]).tolist(), float(waits.max())]


if __name__ == "__main__":
    main()
