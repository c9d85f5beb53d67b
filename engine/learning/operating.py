"""The operating point: what the threshold on scores means goes on meaning the same when a version changes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from engine.detector.detector import Detector, Said, shifted
from engine.detector.image_head import score_logit
from engine.learning.corrections import Correction

_MARGIN = 0.25  # in logits, beyond the last score, where all or none are to be called anomalous
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OperatingPoint:
    """What a threshold does to the corrected images, out of fold; shares 0–1, None without such images.

    Attributes:
        threshold: on scores, 0–1.
        recall: share of the anomalous images that are found, before and after.
        false_alarms: share of the normal images that are called anomalous, before and after.
    """

    threshold: float
    recall: tuple[float, float] | None
    false_alarms: tuple[float, float] | None


def keep_meaning(
    detector: Detector,
    said: Sequence[Said],
    active: Sequence[Said],
    corrections: Sequence[Correction],
    threshold: float,
    chosen: bool,
) -> tuple[Detector, OperatingPoint, list[Said]]:
    """Shift a detector's scores so that the threshold goes on meaning what it meant.

    Args:
        detector: the candidate.
        said: what it said of each correction out of fold…
        active: …and what the one in service says.
        corrections: those.
        threshold: of the project.
        chosen: whether a person set it: then as large a share of the normal images is called anomalous as before.
            Else it is put where it parts normal from anomalous best.

    Returns:
        the shifted detector, what the threshold does before and after, and what was said, shifted too.
    """
    labels = np.array([one.label for one in corrections])
    before, after = (np.array([score_logit(one.score) for one in some]) for some in (active, said))
    place = score_logit(threshold)
    both = 0 < labels.sum() < len(labels)
    if both and not chosen:
        cut = _best_cut(after, labels)
    else:  # the images that are normal, or where there are none, those that there are
        some = labels == 0 if (labels == 0).any() else np.ones(len(labels), bool)
        cut = _cut_at(after[some], float((before[some] >= place - 1e-9).mean()))
    shift = place - cut
    moved = [replace(one, score=shifted(one.score, shift)) for one in said]
    called = [before >= place - 1e-9, after + shift >= place - 1e-9]
    point = OperatingPoint(threshold, _shares(called, labels == 1), _shares(called, labels == 0))
    return replace(detector, shift=detector.shift + shift), point, moved


def _shares(called: list[npt.NDArray[np.bool_]], some: npt.NDArray[np.bool_]) -> tuple[float, float] | None:
    return (float(called[0][some].mean()), float(called[1][some].mean())) if some.any() else None


def _cut_at(values: Floats, share: float) -> float:
    """A cut that the same share of the values reaches."""
    count = round(share * len(values))
    falling = np.sort(values)[::-1]
    if count == 0:
        return float(falling[0] + _MARGIN)
    if count == len(falling):
        return float(falling[-1] - _MARGIN)
    return float((falling[count - 1] + falling[count]) / 2)


def _best_cut(values: Floats, labels: npt.NDArray[np.int64]) -> float:
    """The cut with the largest recall less false alarms; of several, the middle of the widest gap."""
    falling = np.sort(np.unique(values))[::-1]
    cuts = [falling[0] + _MARGIN, *((falling[1:] + falling[:-1]) / 2), falling[-1] - _MARGIN]
    gains = [(values[labels == 1] >= cut).mean() - (values[labels == 0] >= cut).mean() for cut in cuts]
    gaps = [2 * _MARGIN, *(falling[:-1] - falling[1:]), 2 * _MARGIN]
    best = max(range(len(cuts)), key=lambda i: (round(gains[i], 9), gaps[i]))
    return float(cuts[best])
