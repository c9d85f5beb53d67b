"""How often a candidate that learnt nothing would be put in service: `python -m benchmarks.null_candidates`.

For every set, corrections are frozen, and candidates drawn that know nothing of them: text features after a random
walk, prompts with noise, heads of random directions, a refiner of random layers; each changes as much as a real fit to
the same corrections. They go through the product's own judging and deciding, as something new against zero-shot. Of
those that pass, the gain on images that were never corrected tells which were lucky: a random change may truly be one
for the better.

Ends with 1 where more than a tenth pass on any set. Sets are folders of SAMPLE_DATA_DIR.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.machine import machine, markdown_table
from benchmarks.null_drawing import KINDS, Drawn, NullCandidates
from benchmarks.sample_data import read_samples
from engine.backbone.loading import load_backbone
from engine.detector.detector import Detector
from engine.detector.prompt_files import shipped_prompts
from engine.evaluation.datasets.item import LabelledImage
from engine.learning.comparison import OBJECTIVE, HeldOut, compare, measure
from engine.learning.corrected_files import order_of_corrections, read_correction
from engine.learning.corrections import Correction
from engine.learning.deciding import choose
from engine.learning.out_of_fold import judged, said_by
from engine.serving.engine import Engine
from settings import get_settings

SETS = ("kolektor_sdd", "crack_forest", "kvasir_seg", "head_ct")
CORRECTIONS = (20, 40)
ACCEPTED = 0.1
# At least so large a share of a set's images is never corrected.
_JUDGED = 1 / 3


@dataclass(frozen=True)
class Draw:
    """A candidate that learnt nothing.

    Attributes:
        data: the set.
        corrected: how many images.
        kind: of `KINDS`.
        passed: whether it would be put in service.
        gain: the mean gain that it claims, out of fold.
        true: the same on images that were never corrected; NaN where it was refused.
    """

    data: str
    corrected: int
    kind: str
    passed: bool
    gain: float
    true: float


def main() -> int:
    """Draw, judge, print; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.null_candidates", description=__doc__)
    parser.add_argument("--sets", nargs="+", default=list(SETS), help="folders of the sample data")
    parser.add_argument("--draws", type=int, default=50, help="candidates of each kind (default %(default)s)")
    parser.add_argument("--corrections", nargs="+", type=int, default=list(CORRECTIONS), help="how many are frozen")
    parser.add_argument("--seed", type=int, default=0, help="of corrections and candidates (default %(default)s)")
    arguments = parser.parse_args()
    draws: list[Draw] = []
    for data in arguments.sets:
        with tempfile.TemporaryDirectory() as folder:
            engine = Engine(load_backbone(get_settings().backbone), cache_folder=Path(folder))
            draws += of_set(engine, data, arguments.corrections, arguments.draws, arguments.seed)
    print(f"{machine()}; {arguments.draws} candidates of each kind\n\n{table(draws)}\n\n{by_set(draws)}")
    return int(any(share > ACCEPTED for share in passed_by_set(draws).values()))


def of_set(engine: Engine, data: str, counts: Sequence[int], draws_of_each: int, seed: int) -> list[Draw]:
    """All draws of a set; numbers of corrections that leave too few images to measure on are left out."""
    images = [LabelledImage(one.image, one.label, one.mask) for one in read_samples(data)]
    for one in tqdm(images, desc=f"{data}, encoding", unit="image"):
        read_correction(engine, one)
    order = [images[i] for i in order_of_corrections([one.label for one in images], seed)]
    root = engine.detector_of(shipped_prompts(engine.backbone))
    draws: list[Draw] = []
    for corrected in counts:
        if corrected > (1 - _JUDGED) * len(order):
            print(f"{data} has {len(order)} images: too few for {corrected} corrections.", file=sys.stderr)
            continue
        corrections = [read_correction(engine, one) for one in order[:corrected]]
        rest = [read_correction(engine, one) for one in order[corrected:]]
        nulls = NullCandidates(engine, root, corrections, seed, [one.features for one in rest])
        draws += of_corrections(nulls, rest, data, draws_of_each)
    return draws


def of_corrections(nulls: NullCandidates, rest: Sequence[Correction], data: str, count: int) -> list[Draw]:
    """Draws for frozen corrections; none where they can't be judged."""
    if not nulls.folds:
        print(f"{data}: {len(nulls.corrections)} corrections hold too few anomalous parts to judge.", file=sys.stderr)
        return []
    masks = any(one.label and one.marked is not None for one in nulls.corrections)
    kinds = [kind for kind in KINDS if masks or kind != "refiner"]  # without masks no refiner is learnt
    active = judged(nulls.corrections, said_by(nulls.root, nulls.corrections))
    before = measured_mean(nulls.root, rest)
    draws = []
    corrected = len(nulls.corrections)
    for kind in kinds:
        for number in tqdm(range(count), desc=f"{data}, {corrected} corrections, {kind}", unit="candidate"):
            drawn = nulls.draw(kind, torch.Generator().manual_seed(1000 * nulls.seed + number))
            passed, gain = decided(nulls, drawn, active, kind, number)
            true = measured_mean(drawn.detector, rest) - before if passed else float("nan")
            draws.append(Draw(data, corrected, kind, passed, gain, true))
    return draws


def decided(nulls: NullCandidates, drawn: Drawn, active: Sequence[HeldOut], kind: str, seed: int) -> tuple[bool, float]:
    """Whether a candidate would be put in service, and the gain that it claims."""
    comparison = compare(judged(nulls.corrections, drawn.said), active, seed=seed)
    anomalous = sum(one.label for one in nulls.corrections)
    count = len(nulls.corrections)
    decision, _ = choose({kind: comparison}, corrections=count, fewest=min(anomalous, count - anomalous))
    return bool(decision.promote), float("nan") if comparison.gain is None else comparison.gain


def measured_mean(detector: Detector, images: Sequence[Correction]) -> float:
    """The mean of what a run tries to raise, on images with their truth."""
    found = measure(judged(images, said_by(detector, images)))
    return float(np.nanmean([found[name][0] for name in OBJECTIVE]))


def passed_by_set(draws: Sequence[Draw]) -> dict[str, float]:
    """Set → share that would be put in service, of all kinds and numbers of corrections."""
    sets = dict.fromkeys(one.data for one in draws)
    return {data: float(np.mean([one.passed for one in draws if one.data == data])) for data in sets}


def table(draws: Sequence[Draw]) -> str:
    """Each set, number of corrections and kind."""
    rows: list[list[object]] = []
    for data, corrected, kind in dict.fromkeys((one.data, one.corrected, one.kind) for one in draws):
        some = [one for one in draws if (one.data, one.corrected, one.kind) == (data, corrected, kind)]
        passed = [one for one in some if one.passed]
        gains = [float(np.mean(values)) if values else None for values in _gains(passed)]
        rows.append([data, corrected, kind, f"{len(passed)} of {len(some)}", f"{len(passed) / len(some):.0%}", *gains])
    return markdown_table(
        ["set", "corrected", "kind", "would be put in service", "share", "they claim", "in truth"], rows
    )


def _gains(draws: Sequence[Draw]) -> tuple[list[float], list[float]]:
    return [one.gain for one in draws], [one.true for one in draws]


def by_set(draws: Sequence[Draw]) -> str:
    """A line a set."""
    return "\n".join(
        f"{data}: {share:.1%} would be put in service; at most {ACCEPTED:.0%} are accepted."
        for data, share in passed_by_set(draws).items()
    )


if __name__ == "__main__":
    sys.exit(main())
