"""What the embedded backbone finds in real images it never saw: `python -m benchmarks.embedded`.

Zero-shot beside two maps without text; what 5, 10, 20 and 40 corrections bring on images that were not corrected, with
a linear probe on the same features as the ceiling; and speed and size.
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

from benchmarks.controls import LinearProbe, distance_from_median, local_deviation
from benchmarks.machine import machine, markdown_table
from benchmarks.sample_data import Sample, read_samples
from engine.backbone import WEIGHTS_FOLDER, load_config
from engine.detector.detector import Detector
from engine.features import ImageFeatures, surface_of
from engine.images import decode_image
from engine.learning.corrections import Correction
from engine.learning.fitting import Config, learn
from engine.maps import FloatMap, map_to_npy, resize_map
from engine.metrics import auroc, average_precision
from engine.preprocess import mask_shares, preprocess_mask
from engine.prompt_files import shipped_prompts
from engine.serving import Engine

SETS = ("kolektor_sdd", "crack_forest", "kvasir_seg")
CORRECTIONS = (5, 10, 20, 40)


@dataclass(frozen=True)
class Seen:
    """An image of a set with its features, and its mask at the size of the prompts' maps and at its own."""

    sample: Sample
    image: Image.Image
    features: ImageFeatures
    mask: torch.Tensor
    truth: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) of its maps."""
        return self.mask.shape[0], self.mask.shape[1]

    def correction(self) -> Correction:
        """As a person would correct it."""
        height, width = surface_of(self.features).pixels.shape[:2]
        marked = mask_shares(self.truth, (height, width))
        return Correction(self.sample.image.name, self.features, self.sample.label, marked, self.sample.image.name)


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
    head = ["set", "corrected", "served AUROC", "served AP", "put in service", "probe AUROC", "probe AP"]
    print(markdown_table(head, corrected))
    print(f"\n{speed_line(engine, arguments.config)}")


def encode_set(engine: Engine, name: str) -> list[Seen]:
    """All images of a set of the sample data."""
    seen = []
    for sample in tqdm(read_samples(name), desc=name, unit="image"):
        image = decode_image(sample.image.read_bytes())
        truth = sample.truth(image.height, image.width)
        features = engine.encode([image], surface=True)[0]
        mask = preprocess_mask(truth, features.grid.times(engine.info.patch_size), keep_small=True)
        seen.append(Seen(sample, image, features, mask, truth))
    return seen


def pixel_metrics(seen: Sequence[Seen], make_map: Callable[[Seen], FloatMap]) -> tuple[float, float]:
    """AUROC and AP over all pixels of all images, at their own size; NaN where no pixel is marked."""
    if not any(one.truth.any() for one in seen):
        return float("nan"), float("nan")
    maps = [resize_map(make_map(one), *one.truth.shape).ravel() for one in seen]
    masks = np.concatenate([one.truth.ravel() for one in seen])
    return auroc(masks, np.concatenate(maps)), average_precision(masks, np.concatenate(maps))


def _map(engine: Engine, detector: Detector, one: Seen) -> FloatMap:
    return engine.score([one.features], detector)[0].anomaly_map


def zero_shot_rows(engine: Engine, name: str, seen: Sequence[Seen]) -> list[list[object]]:
    """The shipped prompts beside the two controls."""
    detector = engine.detector_of(shipped_prompts(engine.backbone))
    scores = np.array([scored.score for scored in engine.score([one.features for one in seen], detector)])
    labels = np.array([one.sample.label for one in seen])

    controls: dict[str, Callable[[Seen], FloatMap]] = {
        "distance from the median patch": lambda one: distance_from_median(one.features, one.size),
        "local standard deviation": lambda one: local_deviation(one.image, one.size),
    }
    rows: list[list[object]] = [
        [name, "zero-shot", *pixel_metrics(seen, partial(_map, engine, detector)), auroc(labels, scores)]
    ]
    for control, make_map in controls.items():
        highest = np.array([make_map(one).max() for one in seen])
        rows.append([name, control, *pixel_metrics(seen, make_map), auroc(labels, highest)])
    return rows


def corrected_rows(engine: Engine, name: str, seen: Sequence[Seen], seeds: Sequence[int]) -> list[list[object]]:
    """Served and probe after each number of corrections, mean over seeds."""
    figures: dict[int, list[tuple[float, ...]]] = {count: [] for count in (0, *CORRECTIONS)}
    for seed in seeds:
        order = list(seen)
        random.Random(seed).shuffle(order)
        judged, detector = order[CORRECTIONS[-1] :], engine.detector_of(shipped_prompts(engine.backbone))
        for count in tqdm(figures, desc=f"{name}, seed {seed}", unit="run"):
            promoted = 0.0
            if count:
                detector, promoted = after_run(engine, detector, order[:count], seed)
            served = pixel_metrics(judged, partial(_map, engine, detector))
            figures[count].append((*served, promoted, *probe_metrics(order[:count], judged, seed)))
    return [_mean_row(name, count, np.array(values)) for count, values in figures.items()]


def _mean_row(name: str, count: int, values: np.ndarray) -> list[object]:
    au, ap, promoted, probe_au, probe_ap = values.mean(axis=0).tolist()
    return [
        name,
        count,
        au,
        ap,
        f"{round(promoted * len(values))} of {len(values)}" if count else None,
        probe_au,
        probe_ap,
    ]


def after_run(engine: Engine, active: Detector, corrected: Sequence[Seen], seed: int) -> tuple[Detector, float]:
    """What is in service after a run, and 1 where it is new."""
    root = engine.detector_of(shipped_prompts(engine.backbone))
    outcome = learn(engine, root, active, [one.correction() for one in corrected], Config(seed=seed))
    return (outcome.detector, 1.0) if outcome.decision.promote else (active, 0.0)


def probe_metrics(corrected: Sequence[Seen], judged: Sequence[Seen], seed: int) -> tuple[float, float]:
    """AUROC and AP of a linear probe learnt on the corrected images; NaN without an anomaly among them."""
    if not any(one.sample.label for one in corrected):
        return float("nan"), float("nan")
    probe = LinearProbe([one.features for one in corrected], [one.mask for one in corrected], seed)
    return pixel_metrics(judged, lambda one: probe.anomaly_map(one.features, one.size))


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
