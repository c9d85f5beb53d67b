"""Many threads at once against one after another, on the engine alone: `python -m benchmarks.threads`.

Each thread takes an image's bytes, waits for its score and map, and takes the next, as the page's and REST's threads
do. What is compared is how calls share the device; the way through the web server is `benchmarks.clients`'s.
"""

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from benchmarks.machine import machine, markdown_table
from benchmarks.scorers import add_arguments, detector_of, make_backbone, picture, way_of
from engine.images.decoding import decode_image
from engine.serving.engine import Engine


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.threads", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--threads", type=int, default=16, help="callers at once (default %(default)s)")
    parser.add_argument("--images", type=int, default=256, help="in each turn (default %(default)s)")
    given = parser.parse_args()
    way = way_of(given)
    backbone = make_backbone(way)
    engine, detector = Engine(backbone, image_size=given.image_size), detector_of(backbone)
    pictures = [picture(number) for number in range(given.images)]

    def wait(data: bytes) -> float:
        began = time.perf_counter()
        engine.score_images([decode_image(data)], detector)
        return time.perf_counter() - began

    rows = [turn(wait, pictures, threads) for threads in (1, given.threads)]
    ratio = rows[1][1] / rows[0][1]
    print(f"{machine()}; {given.model}, {engine.image_size} px, {backbone.precision}\n")
    print(markdown_table(["callers", "images/s", "median ms", "p95 ms"], rows))
    print(f"\nThroughput of {given.threads} at once: {ratio:.2f} times that of one after another.")


def turn(wait: Callable[[bytes], float], pictures: list[bytes], threads: int) -> list[float]:
    """Callers, images a second, and a caller's wait for one image: median and 95th percentile, ms."""
    with ThreadPoolExecutor(threads) as callers:
        list(callers.map(wait, pictures[: 2 * threads]))  # warms up
        began = time.perf_counter()
        waits = list(callers.map(wait, pictures))
        seconds = time.perf_counter() - began
    return [threads, len(pictures) / seconds, *(1000 * np.percentile(waits, [50, 95])).tolist()]


if __name__ == "__main__":
    main()
