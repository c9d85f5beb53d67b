"""Time and memory of one image and of one run: `python -m benchmarks.times`.

Each figure is taken in a process of its own, so that its peak memory is its own; times are medians.
"""

import argparse
import io
import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
from PIL import Image

from benchmarks.machine import machine, markdown_table
from engine.backbone.loading import load_backbone
from engine.detector.maps import map_to_npy, resize_map
from engine.detector.prompt_files import shipped_prompts
from engine.features.image_features import split_batch, surface_of
from engine.images.decoding import decode_image
from engine.images.preprocessing import mask_shares, preprocess
from engine.learning.corrections import Correction
from engine.learning.fitting import Config, learn
from engine.serving.engine import Engine
from settings import get_settings

REPEATS = 20
_MARK = (slice(80, 180), slice(120, 240))  # rows and columns
STEPS = ("decode", "resize", "vision", "score", "full size")


def main() -> None:
    """Print both tables, or (for itself, in a process of its own) one figure as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.times", description=__doc__)
    parser.add_argument("--backbone", default=get_settings().backbone, help="default %(default)s")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="CPU threads to try")
    parser.add_argument("--corrections", type=int, nargs="+", default=[5, 10, 40], help="sizes of runs to try")
    parser.add_argument("--figure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.figure:
        kind, value = arguments.figure.split("=")
        print(json.dumps({"image": one_image, "run": one_run}[kind](arguments.backbone, int(value))))
        return
    images = [(threads, figure(arguments.backbone, f"image={threads}")) for threads in arguments.threads]
    runs = [(count, figure(arguments.backbone, f"run={count}")) for count in arguments.corrections]
    print(f"{machine()}; backbone {arguments.backbone}\n\nOne image of 512×512 px, PNG bytes → map at full size:\n")
    head = [
        "threads",
        "decode ms",
        "resize ms",
        "vision ms",
        "score and map ms",
        "to full size ms",
        "all ms",
        "peak MiB",
        "images/s",
    ]
    print(markdown_table(head, [[n, *rounded(values), f"{1000 / values['all']:.1f}"] for n, values in images]))
    print("\nOne run, features cached:\n")
    print(markdown_table(["corrections", "seconds", "peak MiB"], [[count, *rounded(values)] for count, values in runs]))


def rounded(values: dict[str, float]) -> list[str]:
    """Figures for a table: one digit."""
    return [f"{value:.1f}" for value in values.values()]


def figure(backbone: str, name: str) -> dict[str, float]:
    """One figure from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.times", "--backbone", backbone, "--figure", name]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _picture(seed: int, side: int = 512) -> Image.Image:
    noise = np.random.default_rng(seed).normal(128, 40, (side // 8, side // 8, 3)).clip(0, 255).astype(np.uint8)
    return Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC)


def one_image(backbone: str, threads: int) -> dict[str, float]:
    """Median milliseconds of each step from bytes to map, and of all of them."""
    torch.set_num_threads(threads)
    engine = Engine(load_backbone(backbone, "auto"))
    detector = engine.detector_of(shipped_prompts(engine.backbone))
    buffer = io.BytesIO()
    _picture(0).save(buffer, "PNG")
    steps: dict[str, list[float]] = {name: [] for name in (*STEPS, "all")}
    with torch.inference_mode():
        for _ in range(REPEATS):
            began = [time.perf_counter()]
            image = decode_image(buffer.getvalue())
            began.append(time.perf_counter())
            batch = preprocess([image], engine.image_size)
            began.append(time.perf_counter())
            features = split_batch(engine.backbone.vision(batch, engine.info.layers), engine.info.layers)
            began.append(time.perf_counter())
            found = engine.score(features, detector)[0].anomaly_map
            began.append(time.perf_counter())
            map_to_npy(resize_map(found, image.height, image.width))
            began.append(time.perf_counter())
            for name, start, end in zip(STEPS, began, began[1:], strict=False):
                steps[name].append(1000 * (end - start))
            steps["all"].append(1000 * (began[-1] - began[0]))
    return {name: statistics.median(values) for name, values in steps.items()} | {"peak": _peak_mib()}


def one_run(backbone: str, corrections: int) -> dict[str, float]:
    """Seconds of a run over cached features, all parts learnt and judged, and its peak memory."""
    engine = Engine(load_backbone(backbone, "auto"))
    root = engine.detector_of(shipped_prompts(engine.backbone))
    corrected = [_correction(engine, number) for number in range(corrections)]
    began = time.perf_counter()
    learn(engine, root, root, corrected, Config())
    return {"seconds": time.perf_counter() - began, "peak": _peak_mib()}


def _correction(engine: Engine, number: int) -> Correction:
    """A drawn surface; every second one has a dark mark."""
    pixels = np.asarray(_picture(number)).copy()
    if number % 2 == 0:
        pixels[_MARK] //= 3
    features = engine.encode([Image.fromarray(pixels)], surface=True)[0]
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[_MARK] = 1 - number % 2
    height, width = surface_of(features).pixels.shape[:2]
    return Correction(str(number), features, 1 - number % 2, mask_shares(mask, (height, width)))


if __name__ == "__main__":
    main()
