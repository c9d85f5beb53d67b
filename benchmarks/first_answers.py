"""What a first visit says, before anybody has said anything: `python -m benchmarks.first_answers`.

For each set pixel AUROC and AP, and image AUROC, of the shipped prompts; pixel AUROC and AP of the map "unlike the
others"; then, of its normal images and of the others, the share that is called anomalous: by the threshold of 0.5, and
by what stands out among the set's own images, as the product does it. Sets are folders of SAMPLE_DATA_DIR.
"""

import argparse
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.machine import machine, markdown_table
from benchmarks.sample_data import read_samples
from engine.backbone.loading import load_backbone
from engine.detector.maps import FloatMap, resize_map
from engine.detector.prompt_files import shipped_prompts
from engine.detector.standing_out import find_standing
from engine.detector.unlike_others import find_unlike
from engine.evaluation.datasets.item import LabelledImage
from engine.evaluation.metrics.of_arrays import auroc, average_precision
from engine.learning.corrected_files import read_correction
from engine.learning.corrections import Correction
from engine.serving.engine import Engine
from settings import get_settings

SETS = ("kolektor_sdd", "crack_forest", "kvasir_seg", "head_ct", "mvtec_mini")
THRESHOLD = 0.5
HEADER = (
    *("set", "images", "pixel AUROC", "pixel AP", "image AUROC"),
    *("unlike the others: pixel AUROC", "pixel AP"),
    *("called anomalous at 0.5: normal", "anomalous", "standing out: normal", "anomalous"),
)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_answers", description=__doc__)
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="folders of the sample data")
    parser.add_argument("--images", type=int, default=200, help="at most so many of a set (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of the order in which images come (default 0)")
    arguments = parser.parse_args()
    settings = get_settings()
    backbone = load_backbone(settings.backbone, settings.device, settings.precision)
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(backbone, cache_folder=Path(folder))
        rows = [[name, *first_answer(engine, name, arguments.images, arguments.seed)] for name in tqdm(arguments.sets)]
    print(f"{machine()}; backbone {backbone.info.name}\n\n{markdown_table(HEADER, rows)}")


def first_answer(engine: Engine, name: str, images: int, seed: int) -> list[str]:
    """The figures of a set."""
    samples = read_samples(name)
    random.Random(seed).shuffle(samples)
    samples = samples[:images]
    seen = [read_correction(engine, LabelledImage(one.image, one.label, one.mask)) for one in samples]
    features = [one.features for one in seen]
    scored = engine.score(features, engine.detector_of(shipped_prompts(engine.backbone)))
    labels, scores = np.array([one.label for one in seen]), np.array([one.score for one in scored])
    standing = find_standing(features, scored, seed)
    out = np.array([standing.stands_out(one, said) for one, said in zip(features, scored, strict=True)])
    unlike = find_unlike(features, seed)
    prompts_maps, unlike_maps = [one.anomaly_map for one in scored], [unlike.map_of(one) for one in features]
    image_auroc = _number(auroc(labels, scores)) if 0 < labels.sum() < len(labels) else "–"
    return [
        *(str(len(seen)), *_of_pixels(seen, prompts_maps), image_auroc),
        *_of_pixels(seen, unlike_maps),
        *_shares(labels, scores >= THRESHOLD),
        *_shares(labels, out),
    ]


def _of_pixels(seen: Sequence[Correction], maps: Sequence[FloatMap]) -> tuple[str, str]:
    """Pixel AUROC and AP of maps, on the grid that the engine sees; dashes where no mask marks anything."""
    known = [
        (resize_map(anomaly_map, *one.marked.shape).ravel(), (one.marked >= 0.5).numpy().ravel())
        for one, anomaly_map in zip(seen, maps, strict=True)
        if one.marked is not None
    ]
    if not any(marked.any() for _, marked in known):
        return "–", "–"
    values, marked = (np.concatenate(part) for part in zip(*known, strict=True))
    return _number(auroc(marked.astype(np.uint8), values)), _number(average_precision(marked.astype(np.uint8), values))


def _shares(labels: npt.NDArray[np.int_], called: npt.NDArray[np.bool_]) -> list[str]:
    """Of the normal images, and of the others, the share that is called anomalous."""
    return [f"{called[labels == one].mean():.2f}" if (labels == one).any() else "–" for one in (0, 1)]


def _number(value: float) -> str:
    return f"{value:.3f}"


if __name__ == "__main__":
    main()
