"""Prompts measured on held-out corrections, and the difference between two with a bootstrap interval.

Maps are kept as histograms of 4,096 bins an image: every metric is then a sum over images, and resampling images
costs a matrix product in place of a pass over all pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.measure import label as connected_regions

from engine.detector.maps import FloatMap
from engine.evaluation.metrics.histograms import aupro, auroc, average_precision

BINS = 4096
_LEAST = 1e-4  # values are kept so far from 0 and 1
_REACH = float(np.log((1 - _LEAST) / _LEAST))
Floats = npt.NDArray[np.float64]
METRICS = ("pixel_auroc", "pixel_ap", "pixel_aupro", "within_auroc", "within_ap", "image_auroc")
# What a run tries to raise: the mean of those of these that the held-out images define. Over all pixels at once, a few
# images with large anomalies decide, and few corrections swing it; within each image it is steadier, but blind to what
# lights up on normal images. Together they are neither.
OBJECTIVE = ("pixel_auroc", "pixel_ap", "within_auroc", "within_ap", "image_auroc")
# Less than this is no loss worth speaking of.
TOLERATED = {"pixel_auroc": 0.01, "pixel_ap": 0.01}
TOLERATED_MEAN = 0.01


@dataclass(frozen=True)
class HeldOut:
    """One held-out image as one set of prompts sees it.

    Attributes:
        score: P(anomalous) of the image.
        label: 1 where a person found something.
        normal: (4096,) normal pixels by map value, highest first.
        anomalous: (4096,) anomalous pixels.
        regions: (4096,) the same, each pixel counted 1 / area of its region.
        region_count: 8-connected regions of the mask.
        within_auroc: pixel AUROC of this image alone; NaN where nothing or everything is anomalous.
        within_ap: pixel AP of this image alone; NaN where nothing is anomalous.
    """

    score: float
    label: int
    normal: Floats
    anomalous: Floats
    regions: Floats
    region_count: int
    within_auroc: float
    within_ap: float


def held_out(
    score: float,
    anomaly_map: FloatMap,
    marked: npt.NDArray[Any] | None,
    label: int | None = None,
    counting: npt.NDArray[Any] | None = None,
) -> HeldOut:
    """Keep what the metrics need of one image.

    Args:
        score: of the image.
        anomaly_map: (h, w), 0–1.
        marked: (h, w) the share of each pixel that is anomalous, 0–1; None: nobody knows, and no pixel counts.
        label: of the image; None: whether anything is marked.
        counting: (h, w) the share of each pixel that counts, 0–1; None: all do.
    """
    bins = logit_bins(anomaly_map.ravel())
    shares = np.zeros(anomaly_map.shape) if marked is None else np.asarray(marked, dtype=np.float64)
    known = np.full(anomaly_map.shape, float(marked is not None))
    if counting is not None:
        known, shares = known * counting, shares * counting
    numbered = connected_regions(shares > 0, connectivity=2)
    areas = np.bincount(numbered.ravel())
    inside = numbered.ravel() > 0
    normal = np.bincount(bins, weights=np.maximum(known - shares, 0.0).ravel(), minlength=BINS).astype(float)
    anomalous = np.bincount(bins, weights=shares.ravel(), minlength=BINS).astype(float)
    return HeldOut(
        score=score,
        label=int(inside.any()) if label is None else label,
        normal=normal,
        anomalous=anomalous,
        regions=np.bincount(bins[inside], weights=1.0 / areas[numbered.ravel()[inside]], minlength=BINS).astype(float),
        region_count=len(areas) - 1,
        within_auroc=float(auroc(normal[None], anomalous[None])[0]),
        within_ap=float(average_precision(normal[None], anomalous[None])[0]),
    )


def logit_bins(probabilities: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.int64]:
    """The bin of each probability (n,), 0 for the highest, by their logits: a refined map tells pixels apart that are
    all nearly 0, or nearly 1."""
    inside_range = np.clip(probabilities.astype(np.float64), _LEAST, 1 - _LEAST)
    places = np.log(inside_range / (1 - inside_range)) / _REACH / 2 + 0.5
    return BINS - 1 - np.clip((places * BINS).astype(np.int64), 0, BINS - 1)


def least_logit(number: int) -> float:
    """The lower end of a bin."""
    return float(((BINS - 1 - number) / BINS - 0.5) * 2 * _REACH)


def measure(images: Sequence[HeldOut], weights: Floats | None = None) -> dict[str, Floats]:
    """The metrics over images, or over resamples of them.

    Args:
        images: n held-out images.
        weights: (resamples, n), how often each image counts; None counts each once.

    Returns:
        each of `METRICS` as an array (resamples,); NaN where undefined.
    """
    weights = np.ones((1, len(images))) if weights is None else weights
    normal, anomalous, regions = (
        weights @ np.stack([getattr(image, name) for image in images]) for name in ("normal", "anomalous", "regions")
    )
    region_count = weights @ np.array([image.region_count for image in images], dtype=float)
    return {
        "pixel_auroc": auroc(normal, anomalous),
        "pixel_ap": average_precision(normal, anomalous),
        "pixel_aupro": aupro(normal, regions, region_count),
        "within_auroc": _mean_of_defined([image.within_auroc for image in images], weights),
        "within_ap": _mean_of_defined([image.within_ap for image in images], weights),
        "image_auroc": _image_auroc(images, weights),
    }


def _mean_of_defined(values: Sequence[float], weights: Floats) -> Floats:
    """Weighted mean over the images that define a value: (resamples,), NaN where none does."""
    each = np.array(values)
    defined = np.isfinite(each)
    with np.errstate(divide="ignore", invalid="ignore"):
        return weights[:, defined] @ each[defined] / weights[:, defined].sum(axis=1)


def _image_auroc(images: Sequence[HeldOut], weights: Floats) -> Floats:
    """Share of pairs (anomalous, normal) in the right order, ties half, pairs weighted by their images' weights."""
    scores, labels = np.array([i.score for i in images]), np.array([i.label for i in images])
    positive, negative = scores[labels == 1], scores[labels == 0]
    wins = (positive[:, None] > negative) + 0.5 * (positive[:, None] == negative)
    pairs = np.einsum("bp,pn,bn->b", weights[:, labels == 1], wins, weights[:, labels == 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        return pairs / (weights[:, labels == 1].sum(axis=1) * weights[:, labels == 0].sum(axis=1))


@dataclass(frozen=True)
class Comparison:
    """Candidate against active, on the same images.

    Attributes:
        candidate: metric → value, None where undefined.
        active: the same.
        difference: candidate − active.
        interval: metric → 95 % bootstrap interval of the difference over images.
        risk: metric of `TOLERATED` → share of resamples where it falls by more than that; None where undefined.
        gain: mean difference over the metrics of `OBJECTIVE`; None where none is defined.
        gain_risk: share of resamples where that mean falls; None as above.
        loss_risk: share of resamples where it falls by more than `TOLERATED_MEAN`; None as above.
    """

    candidate: dict[str, float | None]
    active: dict[str, float | None]
    difference: dict[str, float | None]
    interval: dict[str, tuple[float, float] | None]
    risk: dict[str, float | None]
    gain: float | None
    gain_risk: float | None
    loss_risk: float | None = None


@dataclass(frozen=True)
class Reference:
    """What candidates are compared with.

    Attributes:
        draws: (resamples, n), how often each image counts.
        found: its metrics…
        resampled: …and those over the resamples.
    """

    draws: Floats
    found: dict[str, Floats]
    resampled: dict[str, Floats]

    @classmethod
    def of(cls, active: Sequence[HeldOut], seed: int, resamples: int = 300) -> "Reference":
        """The one in service, on n held-out images."""
        even = np.full(len(active), 1 / len(active))
        draws = np.random.default_rng(seed).multinomial(len(active), even, resamples).astype(float)
        return cls(draws, measure(active), measure(active, draws))


def compare(candidate: Sequence[HeldOut], active: Sequence[HeldOut], *, seed: int) -> Comparison:
    """Compare two detectors on the same held-out images, in the same order."""
    return compare_with(Reference.of(active, seed), candidate)


def compare_with(reference: Reference, candidate: Sequence[HeldOut]) -> Comparison:
    """The same, with one that others were compared with too."""
    ours, theirs = measure(candidate), reference.found
    resampled, baseline = measure(candidate, reference.draws), reference.resampled
    spread = {name: resampled[name] - baseline[name] for name in METRICS}
    difference = {name: _number(ours[name][0] - theirs[name][0]) for name in METRICS}
    defined = [name for name in OBJECTIVE if difference[name] is not None]
    mean = np.mean([spread[name] for name in defined], axis=0) if defined else np.empty(0)
    return Comparison(
        candidate={name: _number(ours[name][0]) for name in METRICS},
        active={name: _number(theirs[name][0]) for name in METRICS},
        difference=difference,
        interval={name: _interval(spread[name]) if difference[name] is not None else None for name in METRICS},
        risk={
            name: _share_below(spread[name], -least) if difference[name] is not None else None
            for name, least in TOLERATED.items()
        },
        gain=float(np.mean([difference[name] for name in defined])) if defined else None,
        gain_risk=_share_below(mean, 0.0) if defined else None,
        loss_risk=_share_below(mean, -TOLERATED_MEAN) if defined else None,
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def _share_below(values: Floats, limit: float) -> float:
    """Share of the resamples that define a value where it is below `limit`."""
    return float((values[np.isfinite(values)] < limit).mean())
