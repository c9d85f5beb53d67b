"""What a detector says of an image of which only a region counts. Knows no torch."""

from typing import TYPE_CHECKING

import numpy as np

from engine.detector.maps import FloatMap, resize_map
from engine.images.interest import Bits, Interest

if TYPE_CHECKING:
    from engine.detector.detector import Scored

# As of the image head: the share of what counts, its highest values, whose mean says how anomalous it is.
TOP_SHARE = 0.005
_LEAST, _LEAST_SCORE = 1e-4, 1e-9  # probabilities, and scores, are kept so far from 0 and 1


def within(scored: "Scored", interest: Interest | None) -> "Scored":
    """Score and map where only a region counts; as they are without one.

    The map is 0 outside, but for cells that reach into the region: `full_map` cuts at its pixels. Of the score's logit
    is taken off what the logit of the map's highest values falls by, from the whole image to the region: an image that
    is anomalous within it keeps its score, and one that is so elsewhere loses what its map says of that place.

    Args:
        scored: of the whole image.
        interest: of the proportions of the image.
    """
    from engine.detector.detector import Scored

    if interest is None:
        return scored
    whole = scored.anomaly_map
    inside = cells_within(whole, interest)
    counts = interest.shares(*whole.shape)
    pixels = max(1, round(TOP_SHARE * float(counts.sum())))
    falls = _top_logit(whole, pixels) - _top_logit(np.where(counts > 0, whole, 0.0), pixels)
    score = scored.score if falls <= 0 else float(1 / (1 + np.exp(falls - _logit(scored.score, _LEAST_SCORE))))
    return Scored(score, inside)


def cells_within(anomaly_map: FloatMap, interest: Interest | None) -> FloatMap:
    """(h, w) a map, 0 where its cells do not reach into the region."""
    if interest is None:
        return anomaly_map
    return np.where(interest.reaching(*anomaly_map.shape), anomaly_map, np.float32(0.0))


def full_map(anomaly_map: FloatMap, height: int, width: int, interest: Interest | None) -> FloatMap:
    """(height, width) a map at its image's size; 0 where a pixel does not count.

    Args:
        anomaly_map: (h, w), 0–1.
        height: of the image, px.
        width: of the image, px.
        interest: None, or one of other proportions: all of it counts.
    """
    whole = resize_map(anomaly_map, height, width)
    if interest is None or not interest.fits(height, width):
        return whole
    return cut(whole, interest.counting(height, width))


def cut(whole: FloatMap, counting: Bits) -> FloatMap:
    """A map without what does not count."""
    return np.where(counting, whole, np.float32(0.0))


def _top_logit(values: FloatMap, count: int) -> float:
    """The logit of the mean of so many highest values."""
    return _logit(float(np.partition(values.ravel(), -count)[-count:].mean()), _LEAST)


def _logit(probability: float, least: float) -> float:
    inside = min(max(probability, least), 1 - least)
    return float(np.log(inside / (1 - inside)))
