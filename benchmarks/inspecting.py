"""`POST /inspect` from outside: `python -m benchmarks.inspecting`.

`python app.py` as a user starts it, with the embedded backbone; JPEG images of 512×512 px, all different, kept by the
default rule. One client that sends one image after another, then several at once.
"""

import argparse
import io
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

from benchmarks.machine import machine, markdown_table
from benchmarks.served import Served

_WARM = 5


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inspecting", description=__doc__)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4])
    arguments = parser.parse_args()
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder)) as served:
        for seed in range(_WARM):
            ask(served.client, seed)
        seed = _WARM
        for clients in arguments.clients:
            began = time.perf_counter()
            with ThreadPoolExecutor(clients) as threads:
                asked = list(threads.map(lambda one: ask(served.client, one), range(seed, seed + arguments.images)))
            taken = time.perf_counter() - began
            seed += arguments.images
            outside, inside = (np.array([one[part] for one in asked]) for part in (0, 1))
            quantiles = [f"{np.quantile(outside, share):.0f}" for share in (0.5, 0.95)]
            rows.append([clients, *quantiles, f"{np.median(inside):.0f}", f"{arguments.images / taken:.1f}"])
    head = ["clients at once", "ms, median", "ms, p95", "ms on the server, median", "images/s"]
    print(f"{machine()}\n\n{markdown_table(head, rows)}")


def ask(client: httpx.Client, seed: int) -> tuple[float, float]:
    """Milliseconds from outside, and as the server says."""
    data = _jpeg(seed)
    began = time.perf_counter()
    answer = client.post("/inspect", files={"files": (f"{seed}.jpg", data)}).raise_for_status()
    return 1000 * (time.perf_counter() - began), answer.json()[0]["milliseconds"]


def _jpeg(seed: int) -> bytes:
    """A smooth surface with a spot, as a part is: noise alone would take long to decode."""
    random = np.random.default_rng(seed)
    ground = Image.fromarray(random.integers(110, 150, (64, 64, 3), dtype=np.uint8)).resize((512, 512))
    left, top = random.integers(0, 440, 2)
    ground.paste(tuple(random.integers(0, 255, 3).tolist()), (left, top, left + 40, top + 30))
    buffer = io.BytesIO()
    ground.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


if __name__ == "__main__":
    main()
