"""A folder of images, files → maps, as `python -m engine score` does it: `python -m benchmarks.folder --model NAME`.

The plain baseline takes some of the same files one after another. Files are read from a warm disk.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch

from benchmarks.baseline import PlainScorer
from benchmarks.flops import image_teraflops, peak_teraflops
from benchmarks.machine import machine, markdown_table
from benchmarks.scorers import Way, add_arguments, detector_of, make_backbone, picture, way_of
from engine.backbone.clip import Backbone
from engine.serving.engine import Engine
from engine.serving.score_files import score_files


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folder", description=__doc__)
    add_arguments(parser)
    parser.add_argument("--images", type=int, default=64, help="files of 512×512 px (default %(default)s)")
    parser.add_argument("--plain-images", type=int, default=8, help="of them for the baseline (default %(default)s)")
    parser.add_argument("--compile", action="store_true", help="also with the engine's blocks compiled")
    given = parser.parse_args()
    way = way_of(given)
    with tempfile.TemporaryDirectory() as folder:
        files = write_pictures(Path(folder), given.images)
        plain = plain_seconds(replace(way, precision="fp32"), files[: given.plain_images])
        rows = [("baseline", f"{1 / plain:.1f}", "1", "–")]
        for compiled in (False, True)[: 1 + given.compile]:
            backbone = make_backbone(replace(way, compiled=compiled))
            engine = Engine(backbone, image_size=given.image_size)
            seconds = engine_seconds(engine, files)
            name = f"engine, {backbone.precision}{', compiled' if compiled else ''}"
            rows.append((name, f"{1 / seconds:.1f}", f"{plain / seconds:.2f}", _share(backbone, engine, seconds)))
    print(f"{machine()}; {given.model}, {engine.image_size} px; {given.images} files\n")
    print(markdown_table(["files by", "images/s", "ratio", "share of the chip's peak"], rows))


def write_pictures(folder: Path, count: int) -> list[Path]:
    """So many PNG files."""

    def write(number: int) -> Path:
        path = folder / f"{number:05d}.png"
        path.write_bytes(picture(number))
        return path

    with ThreadPoolExecutor() as threads:
        return list(threads.map(write, range(count)))


def plain_seconds(way: Way, files: Sequence[Path]) -> float:
    """Of the baseline, for one file."""
    backbone = make_backbone(way)
    text_features = detector_of(backbone).text_features
    scorer = PlainScorer(backbone, text_features, way.image_size or backbone.info.image_size)
    scorer.score(files[0].read_bytes())  # warms up
    began = time.perf_counter()
    for file in files:
        scorer.score(file.read_bytes())
    return (time.perf_counter() - began) / len(files)


def engine_seconds(engine: Engine, files: Sequence[Path]) -> float:
    """Of the engine, for one file."""
    detector = detector_of(engine.backbone)
    for _ in score_files(engine, detector, files[: 2 * engine.batch_size]):  # warms up
        pass
    began = time.perf_counter()
    for _ in score_files(engine, detector, files):
        pass
    return (time.perf_counter() - began) / len(files)


def _share(backbone: Backbone, engine: Engine, seconds: float) -> str:
    peak = peak_teraflops(torch.cuda.get_device_name(backbone.device)) if backbone.device.type == "cuda" else None
    if peak is None:
        return "not measured"
    work = image_teraflops(backbone.vision, engine.image_size, len(engine.info.layers))
    return f"{100 * work / seconds / peak:.0f} %"


if __name__ == "__main__":
    main()
