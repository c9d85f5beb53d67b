"""What the embedded backbone finds in real images it never saw: `python -m benchmarks.embedded`.

Zero-shot beside two maps without text; what 5, 10, 20 and 40 corrections bring on images that were not corrected, with
a linear probe on the same patch features beside it; and speed and size.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from benchmarks.controls import distance_from_median, local_deviation
from benchmarks.machine import machine, markdown_table
from benchmarks.sample_data import Sample, read_samples
from engine.backbone.loading import WEIGHTS_FOLDER, load_config
from engine.detector.detector import Detector, Scored
from engine.detector.maps import FloatMap, map_to_npy, resize_map
from engine.detector.prompt_files import shipped_prompts
from engine.errors import EngineError
from engine.evaluation.baselines.corrected import LinearProbe
from engine.evaluation.datasets.item import LabelledImage
from engine.evaluation.metrics.of_arrays import auroc, average_precision
from engine.images.decoding import decode_image
from engine.learning.corrected_files import read_correction
from engine.learning.corrections import Correction
from engine.learning.fitting import Config, Unfit, learn
from engine.serving.engine import Engine

SETS = ("kolektor_sdd", "crack_forest", "kvasir_seg")
CORRECTIONS = (5, 10, 20, 40)


@dataclass(frozen=True)
class Seen:
    """An image of a set as a correction, and its mask at its own size."""

    sample: Sample
    image: Image.Image
    correction: Correction
    truth: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of the prompts' maps, 8 px a patch."""
        return self.correction.features.grid.times(8)


def main() -> None:
    """Measure, and print two tables and a line on speed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.embedded", description=__doc__)
    parser.add_argument("--config", type=Path, default=WEIGHTS_FOLDER / "embedded.json", help="of the backbone")
    parser.add_argument("--sets", nargs="+", default=list(SETS), metavar="SET", help="folders of SAMPLE_DATA_DIR")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2], help="orders in which images are corrected")
    parser.add_argument("--zero-shot", action="store_true", help="the first table alone")
    arguments = parser.parse_args()
    engine = Engine(load_config(arguments.config))
    sets = {name: encode_set(engine, name) for name in arguments.sets}
    zero_shot = [row for name, seen in sets.items() for row in zero_shot_rows(engine, name, seen)]
    print(f"{machine()}; {engine.info.name}, {engine.image_size} px\n\nZero-shot:\n")
    print(markdown_table(["set", "map", "pixel AUROC", "pixel AP", "image AUROC"], zero_shot))
    if arguments.zero_shot:
        return
    corrected = [row for name, seen in sets.items() for row in corrected_rows(engine, name, seen, arguments.seeds)]
    print(f"\nOn images that were not corrected, mean of {len(arguments.seeds)} seeds:\n")
    served = ["served AUROC", "served AP", "served image AUROC", "put in service"]
    head = ["set", "corrected", *served, "probe AUROC", "probe AP"]
    print(markdown_table(head, corrected))
    print(f"\n{speed_line(engine, arguments.config)}")


def encode_set(engine: Engine, name: str) -> list[Seen]:
    """All images of a set of the sample data."""
    seen = []
    for sample in tqdm(read_samples(name), desc=name, unit="image"):
        image = decode_image(sample.image.read_bytes())
        correction = read_correction(engine, LabelledImage(sample.image, sample.label, sample.mask))
        seen.append(Seen(sample, image, correction, sample.truth(image.height, image.width)))
    return seen


def metrics(seen: Sequence[Seen], score: Callable[[Seen], Scored]) -> tuple[float, float, float]:
    """Pixel AUROC and AP, and image AUROC."""
    scored = {id(one): score(one) for one in seen}
    labels, scores = np.array([one.sample.label for one in seen]), np.array([scored[id(one)].score for one in seen])
    return *pixel_metrics(seen, lambda one: scored[id(one)].anomaly_map), auroc(labels, scores)


def pixel_metrics(seen: Sequence[Seen], make_map: Callable[[Seen], FloatMap]) -> tuple[float, float]:
    """AUROC and AP over all pixels of all images, at their own size; NaN where no pixel is marked.

    Anomalous images without a mask are left out: nobody knows where they are.
    """
    known = [one for one in seen if one.correction.marked is not None]
    if not any(one.truth.any() for one in known):
        return float("nan"), float("nan")
    maps = [resize_map(make_map(one), *one.truth.shape).ravel() for one in known]
    masks = np.concatenate([one.truth.ravel() for one in known])
    return auroc(masks, np.concatenate(maps)), average_precision(masks, np.concatenate(maps))


def _scored(engine: Engine, detector: Detector, one: Seen) -> Scored:
    return engine.score([one.correction.features], detector)[0]


def zero_shot_rows(engine: Engine, name: str, seen: Sequence[Seen]) -> list[list[object]]:
    """The shipped prompts beside the two controls."""
    detector = engine.detector_of(shipped_prompts(engine.backbone))
    labels = np.array([one.sample.label for one in seen])
    controls: dict[str, Callable[[Seen], FloatMap]] = {
        "distance from the median patch": lambda one: distance_from_median(one.correction.features, one.size),
        "local standard deviation": lambda one: local_deviation(one.image, one.size),
    }
    rows: list[list[object]] = [[name, "zero-shot", *metrics(seen, partial(_scored, engine, detector))]]
    for control, make_map in controls.items():
        highest = np.array([make_map(one).max() for one in seen])
        rows.append([name, control, *pixel_metrics(seen, make_map), auroc(labels, highest)])
    return rows


def corrected_rows(engine: Engine, name: str, seen: Sequence[Seen], seeds: Sequence[int]) -> list[list[object]]:
    """Served and probe after each number of corrections, mean over seeds; of a set that is too small, fewer numbers."""
    counts = [count for count in (0, *CORRECTIONS) if count < len(seen)]
    figures: dict[int, list[tuple[float, ...]]] = {count: [] for count in counts}
    for seed in seeds:
        order = list(seen)
        random.Random(seed).shuffle(order)
        root = engine.detector_of(shipped_prompts(engine.backbone))
        judged, active = order[counts[-1] :], root
        for count in tqdm(counts, desc=f"{name}, seed {seed}", unit="run"):
            promoted = False
            if count:
                active, promoted = after_run(engine, root, active, order[:count], judged, seed)
            served = metrics(judged, partial(_scored, engine, active))
            figures[count].append((*served, float(promoted), *probe_metrics(order[:count], judged, seed)))
    return [_mean_row(name, count, np.array(values)) for count, values in figures.items()]


def _mean_row(name: str, count: int, values: np.ndarray) -> list[object]:
    *served, promoted, probe_au, probe_ap = values.mean(axis=0).tolist()
    put = f"{round(promoted * len(values))} of {len(values)}" if count else None
    return [name, count, *served, put, probe_au, probe_ap]


def after_run(
    engine: Engine, root: Detector, active: Detector, corrected: Sequence[Seen], others: Sequence[Seen], seed: int
) -> tuple[Detector, bool]:
    """The detector in service after a run, and whether it is new."""
    try:
        corrections, unlabelled = [one.correction for one in corrected], [one.correction.features for one in others]
        outcome = learn(engine, root, active, corrections, Config(seed=seed), unlabelled=unlabelled)
    except Unfit:
        return active, False
    return (outcome.detector, True) if outcome.decision.promote else (active, False)


def probe_metrics(corrected: Sequence[Seen], judged: Sequence[Seen], seed: int) -> tuple[float, float]:
    """AUROC and AP of a linear probe learnt on the corrected images; NaN where they show patches of one kind only."""
    try:
        probe = LinearProbe([one.correction for one in corrected], seed)
    except EngineError:
        return float("nan"), float("nan")
    return pixel_metrics(judged, lambda one: probe.score(one.correction.features).anomaly_map)


def speed_line(engine: Engine, config: Path) -> str:
    """Images per second from the bytes of a 512 px PNG to the map at full size, and megabytes of the weights."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((512, 512), Image.Resampling.BICUBIC)
    detector, seconds = engine.detector_of(shipped_prompts(engine.backbone)), []
    for _ in range(12):
        began = time.perf_counter()
        scored = engine.score(engine.encode([picture]), detector)[0]
        map_to_npy(resize_map(scored.anomaly_map, 512, 512))
        seconds.append(time.perf_counter() - began)
    size = config.with_suffix(".safetensors").stat().st_size / 1e6
    threads = torch.get_num_threads()
    return (
        f"{1 / float(np.median(seconds)):.1f} images of 512 px a second on {threads} threads; {size:.1f} MB of weights."
    )


if __name__ == "__main__":
    main()
