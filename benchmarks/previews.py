"""How long a preview takes: fitting to 40 corrections with cached features, and looking at the next nine images.

`python -m benchmarks.previews [SET]` on one of the sample data sets (kolektor_sdd); times are the best of three.
"""

import csv
import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from engine.backbone.loading import load_backbone
from engine.detector.prompt_files import shipped_prompts
from engine.features.image_features import surface_of
from engine.images.decoding import decode_image
from engine.images.preprocessing import mask_shares
from engine.learning.corrections import Correction
from engine.learning.previewing import preview_detector
from engine.serving.engine import Engine

DATA = Path(os.environ.get("SAMPLE_DATA_DIR", Path(__file__).parents[2] / "shared" / "data"))
CORRECTIONS, NEXT, REPEATS = 40, 9, 3


def main(name: str) -> None:
    """Print both times."""
    rows = list(csv.DictReader((DATA / name / "index.csv").open()))
    sides = [[row for row in rows if row["label"] == label] for label in ("1", "0")]
    mixed = [row for pair in zip(*sides, strict=False) for row in pair] if all(sides) else rows
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(load_backbone("embedded", "cpu"), cache_folder=Path(folder))
        root = engine.detector_of(shipped_prompts(engine.backbone))
        known = [_correction(engine, DATA / name, row) for row in mixed[: CORRECTIONS + NEXT]]
        corrections, following = known[:CORRECTIONS], [one.features for one in known[CORRECTIONS:]]
        detector = preview_detector(engine, root, corrections)
        assert detector is not None, "nothing is marked"
        fit = _best(lambda: preview_detector(engine, root, corrections))
        look = _best(lambda: detector.score(following))
    print(f"{name}, {torch.get_num_threads()} threads, seconds by the clock (and of all cores together):")
    print(f"fit to {len(corrections)} corrections {fit[0]:.2f} ({fit[1]:.2f}), ", end="")
    print(f"{len(following)} images {look[0]:.2f} ({look[1]:.2f})")


def _correction(engine: Engine, folder: Path, row: dict[str, str]) -> Correction:
    data = (folder / row["image"]).read_bytes()
    key = hashlib.sha256(data).hexdigest()
    features, _ = engine.features(key, lambda: decode_image(data, max_pixels=10**9, max_bytes=10**9))
    size = surface_of(features).pixels.shape[:2]
    marked = torch.zeros(*size)
    if row["mask"]:
        mask = (np.asarray(Image.open(folder / row["mask"]).convert("L")) > 0).astype(np.uint8)
        marked = torch.as_tensor(mask_shares(mask, (size[0], size[1])))
    return Correction(key, features, int(row["label"] == "1"), marked, row["image"])


def _best(work: Callable[[], object]) -> tuple[float, float]:
    """By the clock, and of the processor, which other work on the machine changes less."""
    times = []
    for _ in range(REPEATS):
        began, used = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - began, time.process_time() - used))
    return min(clock for clock, _ in times), min(processor for _, processor in times)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "kolektor_sdd")
