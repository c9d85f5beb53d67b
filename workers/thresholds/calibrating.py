"""Thresholds and probabilities from labelled values: arithmetic on histograms, of scores or of map values alike.

A value v is called anomalous when v ≥ threshold. Values lie in 0–1 and are counted in 1,000 steps, so every threshold
is a multiple of 0.001.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workers.operations.first_imports import heavy_imports

STEPS = 1000
# Images of each label below which nothing is called calibrated.
ENOUGH = 10
Counts = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """Values by label, and the images that they come from.

    Attributes:
        normal: (1000,) weight of the values in each step whose label is normal.
        anomalous: (1000,) the same for anomalous.
        unlabelled: (1000,) the same for those that nobody has labelled.
        normal_images: images that give only normal values.
        anomalous_images: images labelled anomalous.
    """

    normal: Counts
    anomalous: Counts
    unlabelled: Counts
    normal_images: int
    anomalous_images: int


@dataclass(frozen=True)
class Outcome:
    """What a threshold does to the labelled values; rates are 0–1, None where they are not defined.

    Attributes:
        threshold: 0–1.
        recall: share of the anomalous ones that are found.
        precision: share of those called anomalous that are.
        f1: harmonic mean of precision and recall.
        false_alarm_rate: share of the normal ones that are called anomalous.
    """

    threshold: float
    recall: float | None
    precision: float | None
    f1: float | None
    false_alarm_rate: float | None


@dataclass(frozen=True)
class Probability:
    """P(anomalous | score) = σ(slope · logit(score) + intercept), Platt's calibration, and what it rests on."""

    slope: float
    intercept: float
    images: int

    def of(self, score: float) -> float:
        """The probability, 0–1, of being anomalous at this score."""
        return float(1.0 / (1.0 + np.exp(-(self.slope * _logit(np.float64(score)) + self.intercept))))


def count_values(values: npt.ArrayLike, weights: Counts | None = None) -> Counts:
    """(1000,) the weight of the values (0–1) that lie in each step."""
    # A value that is a multiple of the step belongs to the step that begins there, despite rounding.
    steps = np.floor(np.asarray(values, dtype=np.float64).ravel() * STEPS + 1e-9).astype(np.int64)
    return np.bincount(np.clip(steps, 0, STEPS - 1), weights, minlength=STEPS).astype(np.float64)


def outcome_at(evidence: Evidence, threshold: float) -> Outcome:
    """What this threshold does, to a thousandth."""
    return _outcome(evidence, round(threshold * STEPS))


def best_f1(evidence: Evidence) -> Outcome | None:
    """The threshold of the largest F1; of several, the middle one. None without values of both labels."""
    if not (evidence.normal.sum() and evidence.anomalous.sum()):
        return None
    found, false = _at_or_above(evidence.anomalous), _at_or_above(evidence.normal)
    f1 = 2 * found / (found + false + evidence.anomalous.sum())
    best = np.flatnonzero(np.isclose(f1, f1.max(), rtol=1e-9, atol=0))
    # The best ones need not be neighbours; the middle is that of the first run of them.
    run = best[: np.append(np.flatnonzero(np.diff(best) > 1), best.size - 1)[0] + 1]
    return _outcome(evidence, int(run[run.size // 2]))


def at_false_alarm_rate(evidence: Evidence, rate: float) -> Outcome | None:
    """The lowest threshold at which no larger share of the normal values than `rate` is called anomalous.

    None without normal values, or where even the highest threshold has more false alarms.
    """
    total = evidence.normal.sum()
    if not total:
        return None
    allowed = np.flatnonzero(_at_or_above(evidence.normal) / total <= rate + 1e-9)
    return _outcome(evidence, int(allowed[0])) if allowed.size else None


def fit_probability(evidence: Evidence) -> Probability | None:
    """Platt's calibration of scores; None with too few images of a label, or where scores don't tell them apart.

    J. Platt, Probabilistic outputs for support vector machines, 1999: logistic regression with targets drawn in from 0
    and 1, the more the fewer images there are. It is fitted to the logit of the score.
    """
    if min(evidence.normal_images, evidence.anomalous_images) < ENOUGH:
        return None
    with heavy_imports:
        from sklearn.linear_model import LogisticRegression  # takes a second to import, and few requests need it

    high = (evidence.anomalous_images + 1) / (evidence.anomalous_images + 2)
    low = 1 / (evidence.normal_images + 2)
    towards = evidence.anomalous * high + evidence.normal * low
    away = evidence.anomalous * (1 - high) + evidence.normal * (1 - low)
    logits = _logit((np.arange(STEPS) + 0.5) / STEPS)
    model = LogisticRegression(C=1e6).fit(
        np.concatenate([logits, logits])[:, None], np.repeat([1, 0], STEPS), np.concatenate([towards, away])
    )
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    images = evidence.normal_images + evidence.anomalous_images
    return Probability(slope, intercept, images) if slope > 0 else None


def what_it_rests_on(evidence: Evidence, *, separable: bool = True) -> str:
    """One sentence for people: on how many images a threshold rests, and what is missing until it is calibrated."""
    normal, anomalous = evidence.normal_images, evidence.anomalous_images
    rests = f"{_images(normal, 'normal')} and {_images(anomalous, 'anomalous')}"
    missing = [
        f"{ENOUGH - count} more {label}"
        for label, count in (("normal", normal), ("anomalous", anomalous))
        if count < ENOUGH
    ]
    if missing:
        return f"Not calibrated yet: there are {rests}. Accept or correct {' and '.join(missing)}."
    if not separable:
        return f"Not calibrated: on {rests}, higher scores do not go with anomalies. Correct more, then retrain."
    return f"Calibrated on {rests}; one false alarm more or less among them is {100 / normal:.1f} %."


def _images(count: int, label: str) -> str:
    return f"{count} {label} image{'' if count == 1 else 's'}"


def _outcome(evidence: Evidence, step: int) -> Outcome:
    found, false = float(evidence.anomalous[step:].sum()), float(evidence.normal[step:].sum())
    anomalous, normal = float(evidence.anomalous.sum()), float(evidence.normal.sum())
    return Outcome(
        threshold=step / STEPS,
        recall=found / anomalous if anomalous else None,
        precision=found / (found + false) if found + false else None,
        f1=2 * found / (found + false + anomalous) if anomalous else None,
        false_alarm_rate=false / normal if normal else None,
    )


def _at_or_above(counts: Counts) -> Counts:
    """(1001,) the weight at or above each of the thresholds 0, 0.001, … 1."""
    return np.append(np.cumsum(counts[::-1])[::-1], 0.0)


def _logit(score: Counts | np.float64) -> Counts | np.float64:
    inside = np.clip(score, 1e-6, 1 - 1e-6)
    return np.log(inside / (1 - inside))
