"""How good scores and maps are: AUROC, AP, F1-max, AUPRO; undefined ones are NaN, never 0."""

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.measure import label as connected_regions
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from engine.evaluation.metrics.rank_sums import FPR_LIMIT, RankSums

Array = npt.NDArray[np.generic]


def auroc(labels: Array, scores: Array) -> float:
    """Area under the ROC curve, of any shape, flattened; NaN where one of the classes is missing."""
    labels = np.asarray(labels).ravel()
    if labels.min() == labels.max():
        return float("nan")
    return float(roc_auc_score(labels, np.asarray(scores).ravel()))


def average_precision(labels: Array, scores: Array) -> float:
    """Average precision as scikit-learn defines it, 0 where nothing is anomalous; flattened."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        warnings.simplefilter("ignore", UserWarning)
        return float(average_precision_score(np.asarray(labels).ravel(), np.asarray(scores).ravel()))


def f1_max(labels: Array, scores: Array) -> tuple[float, float]:
    """The best F1 over all thresholds, and the threshold (score ≥ threshold is anomalous); NaN without a class."""
    labels = np.asarray(labels).ravel()
    if labels.max() == 0:
        return float("nan"), float("nan")
    precision, recall, thresholds = precision_recall_curve(labels, np.asarray(scores).ravel())
    with np.errstate(invalid="ignore"):
        f1 = np.nan_to_num(2 * precision * recall / (precision + recall))[:-1]
    best = int(f1.argmax())
    return float(f1[best]), float(thresholds[best])


@dataclass(frozen=True)
class ProCurve:
    """Per-region overlap against false-positive rate; both (n,), from 0–1, FPR ascending."""

    fpr: npt.NDArray[np.float64]
    overlap: npt.NDArray[np.float64]


def aupro(masks: Array, maps: Array, *, fpr_limit: float = FPR_LIMIT, thresholds: int | None = None) -> float:
    """Area under the per-region-overlap curve up to a false-positive rate, rescaled to 0–1.

    Args:
        masks: (N, H, W), nonzero where anomalous; regions are 8-connected.
        maps: (N, H, W).
        fpr_limit: where the curve ends.
        thresholds: None takes every threshold there is, and the curve is cut at the limit by interpolation; a number
            spaces that many between minimum and maximum and rescales the FPR that they reach, as the reference does.

    Returns:
        NaN where there are no regions, no normal pixels, or (with spaced thresholds) fewer than two points.
    """
    regions = _Regions(np.asarray(masks), np.asarray(maps))
    if not regions.defined:
        return float("nan")
    if thresholds is not None:
        return _area_reference(regions.curve(_spaced(np.asarray(maps), thresholds)), fpr_limit)
    return regions.area(fpr_limit)


def pro_curve(masks: Array, maps: Array, *, fpr_limit: float = FPR_LIMIT, thresholds: int = 200) -> ProCurve:
    """The points that `aupro` integrates with spaced thresholds: FPR below the limit, rescaled to 0–1."""
    return _rescaled(_Regions(np.asarray(masks), np.asarray(maps)).curve(_spaced(maps, thresholds)), fpr_limit)


class _Regions:
    """Anomalous pixels weighted so that each region counts alike, and normal pixels, both by score.

    The overlap at a threshold is then a cumulative sum, and no threshold needs a pass over the maps.
    """

    def __init__(self, masks: Array, maps: Array) -> None:
        weights, values, self._count = [], [], 0
        for mask, scores in zip(masks, maps, strict=True):
            numbered = connected_regions(mask != 0, connectivity=2)
            areas = np.bincount(numbered.ravel())
            inside = numbered > 0
            weights.append(1.0 / areas[numbered[inside]])
            values.append(scores[inside])
            self._count += len(areas) - 1
        self._anomalous, self._weights = np.concatenate(values), np.concatenate(weights)
        self._normal = np.sort(maps[masks == 0])  # ascending
        self.defined = self._count > 0 and self._normal.size > 0

    def curve(self, thresholds: Array) -> ProCurve:
        """Overlap and FPR of `score > threshold`."""
        order = np.argsort(self._anomalous)[::-1]
        overlap = np.concatenate([[0.0], np.cumsum(self._weights[order])]) / self._count
        above = order.size - np.searchsorted(self._anomalous[order[::-1]], thresholds, side="right")
        false = self._normal.size - np.searchsorted(self._normal, thresholds, side="right")
        return ProCurve(false / self._normal.size, overlap[above])

    def area(self, fpr_limit: float) -> float:
        """Area under the curve over every value that occurs, cut at the limit by interpolation."""
        sums = RankSums(self._normal.size, self._anomalous.size, self._count, fpr_limit)
        sums.add(self._normal, self._anomalous, self._weights)
        return sums.metrics()["pixel_aupro"]


def _spaced(maps: Array, count: int) -> Array:
    """The reference's thresholds, in the maps' own precision, descending."""
    low, high = maps.min(), maps.max()
    if low == high:
        return np.asarray([low])
    return np.arange(low, high, (high - low) / count)[::-1]


def _rescaled(curve: ProCurve, limit: float) -> ProCurve:
    keep = curve.fpr < limit
    fpr, overlap = curve.fpr[keep], curve.overlap[keep]
    span = fpr.max() - fpr.min() if fpr.size else 0.0
    return ProCurve((fpr - fpr.min()) / span if span else fpr, overlap)


def _area_reference(curve: ProCurve, limit: float) -> float:
    points = _rescaled(curve, limit)
    if points.fpr.size < 2 or points.fpr.max() == points.fpr.min():
        return float("nan")
    return float(auc(points.fpr, points.overlap))
