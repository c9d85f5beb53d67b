"""What a map shows, as regions with an outline. Knows no torch."""

from dataclasses import dataclass

import numpy as np
from skimage.measure import approximate_polygon, find_contours, label, regionprops

from engine.detector.interest import full_map
from engine.detector.maps import FloatMap
from engine.images.interest import Interest

# Regions that are told of, the highest peak first; corners of an outline, at most.
MOST_REGIONS = 50
_MOST_CORNERS = 200


@dataclass(frozen=True)
class OutlinedRegion:
    """A connected part of an image whose map reaches a threshold; pixels are neighbours when they share a side.

    Attributes:
        polygon: corners (x, y) of its outer outline in px, through the middle of the pixels' sides.
        box: left, top, right, bottom in px; right and bottom are the first that don't belong to it.
        area: in px².
        length: the longest distance within its outline, in px.
        peak: highest value of the map in it, 0–1.
    """

    polygon: list[tuple[float, float]]
    box: tuple[int, int, int, int]
    area: float
    length: float
    peak: float


def find_regions(
    anomaly_map: FloatMap,
    height: int,
    width: int,
    threshold: float,
    most: int | None = MOST_REGIONS,
    interest: Interest | None = None,
) -> list[OutlinedRegion]:
    """The regions of an image, the highest peak first.

    Args:
        anomaly_map: (h, w), 0–1; brought to the image's size.
        height: of the image, in px.
        width: of the image, in px.
        threshold: 0–1; what reaches it belongs to a region.
        most: of them; None: all.
        interest: which of the image's pixels count; None: all.
    """
    if anomaly_map.max() < threshold:  # what is between two values of a map never exceeds both
        return []
    whole = full_map(anomaly_map, height, width, interest)
    found = regionprops(label(whole >= threshold, connectivity=1), intensity_image=whole)
    highest = sorted(found, key=lambda one: -one.intensity_max)[:most]
    return [_outlined(one) for one in highest]


def region_areas(
    anomaly_map: FloatMap, height: int, width: int, threshold: float, interest: Interest | None = None
) -> list[float]:
    """The areas in px² of all regions of an image that `find_regions` finds, the largest first; without outlines."""
    if anomaly_map.max() < threshold:
        return []
    numbered = label(full_map(anomaly_map, height, width, interest) >= threshold, connectivity=1)
    return np.sort(np.bincount(numbered.ravel())[1:])[::-1].astype(float).tolist()


def _outlined(found: object) -> OutlinedRegion:
    top, left, bottom, right = (int(side) for side in found.bbox)  # type: ignore[attr-defined]
    outline = max(find_contours(np.pad(found.image, 1).astype(float), 0.5), key=len)  # type: ignore[attr-defined]
    # Padded by a pixel; a pixel's middle lies half a pixel from its corner.
    corners = _simplified(outline)[:, ::-1] + (left - 0.5, top - 0.5)
    steps = corners[:, None] - corners[None]
    return OutlinedRegion(
        polygon=[(round(float(x), 1), round(float(y), 1)) for x, y in corners[:-1]],
        box=(left, top, right, bottom),
        area=float(found.area),  # type: ignore[attr-defined]
        length=float(np.sqrt((steps**2).sum(-1).max())),
        peak=float(found.intensity_max),  # type: ignore[attr-defined]
    )


def _simplified(outline: np.ndarray) -> np.ndarray:
    """The outline with as few corners as it needs: half a pixel off at most, or more where there would be too many."""
    tolerance = 0.5
    corners = approximate_polygon(outline, tolerance)
    while len(corners) > _MOST_CORNERS:
        tolerance *= 2
        corners = approximate_polygon(outline, tolerance)
    return corners
