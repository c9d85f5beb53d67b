"""Large images in overlapping tiles, so that resizing loses no small defect; their maps join without seams."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.detector.detector import Detector, Scored
from engine.detector.maps import FloatMap, resize_map
from engine.serving.engine import Engine

# Share of a tile's side that its neighbour shows too, at least.
_OVERLAP = 0.25
_LEAST = 1e-6  # scores are kept so far from 0 and 1


def score_in_tiles(engine: Engine, image: Image.Image, detector: Detector, side: int) -> Scored:
    """Score an image as a whole and in tiles.

    Args:
        image: upright, 8 bits.
        detector: what to score with.
        side: of a tile, in px of the image. An image that is no larger is one tile, and scored as ever.

    Returns:
        The scores of the whole and its tiles as `together` puts them; and the mean of the whole's map and the tiles'
        joined maps, (H, W) of the image, 0–1: what is only seen from afar, such as a part that is missing, stays.
    """
    whole = engine.score_images([image], detector)[0]
    boxes = list(tile_boxes(image.width, image.height, side))
    if len(boxes) == 1:
        return whole
    tiles = []
    for start in range(0, len(boxes), engine.batch_size):
        cut = [image.crop(box) for box in boxes[start : start + engine.batch_size]]
        tiles += engine.score_images(cut, detector)
    joined = _joined([tile.anomaly_map for tile in tiles], boxes, image.width, image.height)
    anomaly_map = ((joined + resize_map(whole.anomaly_map, image.height, image.width)) / 2).astype(np.float32)
    return Scored(together(whole.score, [tile.score for tile in tiles]), anomaly_map)


def together(whole: float, tiles: Sequence[float]) -> float:
    """One score, 0–1, of the whole's and the tiles': o = ½ o_whole + ½ mean(o_tile), with the odds o = p / (1 − p).

    A defect that a single tile shows still counts, for its odds are far from the others'; and tiles that say what the
    whole says change nothing, however many there are: the highest of many scores would rise with their number, though
    all of them were noise.
    """
    kept = np.clip([whole, *tiles], _LEAST, 1 - _LEAST)
    odds = kept / (1 - kept)
    both = float(odds[0] + odds[1:].mean()) / 2
    return both / (1 + both)


def tile_boxes(width: int, height: int, side: int) -> Iterator[tuple[int, int, int, int]]:
    """Boxes (left, top, right, bottom) that cover the image evenly, a quarter of a side shared or more."""
    for top in _starts(height, side):
        for left in _starts(width, side):
            yield left, top, min(left + side, width), min(top + side, height)


def _starts(length: int, side: int) -> list[int]:
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - _OVERLAP))) + 1
    return [round(number * (length - side) / (count - 1)) for number in range(count)]


def _joined(maps: list[FloatMap], boxes: list[tuple[int, int, int, int]], width: int, height: int) -> FloatMap:
    """Weighted mean of the maps where they overlap; a map's weight falls to nothing at its edge, so no edge shows."""
    total, weights = np.zeros((height, width), dtype=np.float32), np.zeros((height, width), dtype=np.float32)
    for one, (left, top, right, bottom) in zip(maps, boxes, strict=True):
        weight = np.outer(_tent(bottom - top), _tent(right - left))
        total[top:bottom, left:right] += weight * resize_map(one, bottom - top, right - left)
        weights[top:bottom, left:right] += weight
    return total / weights


def _tent(length: int) -> npt.NDArray[np.float32]:
    """1 in the middle, falling to just above 0 at both ends."""
    distance = np.abs(np.arange(length) + 0.5 - length / 2)
    return (1 - distance / (length / 2)).astype(np.float32)
