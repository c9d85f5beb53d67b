"""AUROC, AP and AUPRO of values that were counted in bins: a sum over images, so that resampling them is cheap.

Every function takes histograms (b, k) of b resamples, the bin of the highest values first, and returns (b,), NaN where
undefined. Pixels in one bin count as ties.
"""

import numpy as np
import numpy.typing as npt

from engine.evaluation.metrics.rank_sums import FPR_LIMIT

Floats = npt.NDArray[np.float64]


def auroc(normal: Floats, anomalous: Floats) -> Floats:
    """Area under the ROC curve."""
    return np.atleast_1d(np.trapezoid(_from_origin(_shares(anomalous)), _from_origin(_shares(normal)), axis=1))


def average_precision(normal: Floats, anomalous: Floats) -> Floats:
    """Average precision, as scikit-learn defines it."""
    found = anomalous.cumsum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = found / (found + normal.cumsum(axis=1))
        return (anomalous * np.nan_to_num(precision)).sum(axis=1) / anomalous.sum(axis=1)


def aupro(normal: Floats, regions: Floats, region_count: Floats, *, fpr_limit: float = FPR_LIMIT) -> Floats:
    """Area under the per-region-overlap curve up to a false-positive rate, rescaled to 0–1.

    Args:
        normal: of normal pixels.
        regions: of anomalous pixels, each counted 1 / area of its region.
        region_count: (b,).
        fpr_limit: where the curve ends.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        overlap = _from_origin(regions.cumsum(axis=1) / region_count[:, None])
    areas = []
    for x, y in zip(_from_origin(_shares(normal)), overlap, strict=True):
        keep = x < fpr_limit
        end = np.interp(fpr_limit, x, y)
        areas.append(np.trapezoid(np.append(y[keep], end), np.append(x[keep], fpr_limit)) / fpr_limit)
    return np.array(areas)


def _shares(counts: Floats) -> Floats:
    """(b, k) the share of all that lies in each bin or above it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return counts.cumsum(axis=1) / counts.sum(axis=1, keepdims=True)


def _from_origin(curve: Floats) -> Floats:
    return np.concatenate([np.zeros((len(curve), 1)), curve], axis=1)
