"""Masks as COCO writes them: run lengths down the columns, as numbers or as text, and polygons.

Run lengths alternate between background and foreground and begin with background. As text each length, from the
third on as its difference from the one two before, is written in groups of five bits, lowest first: bit 5 says that
another group follows, and 48 is added to make a printable character.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.draw import polygon as polygon_pixels

Mask = npt.NDArray[np.uint8]
Whole = npt.NDArray[np.int64]
# Farther out than this no polygon has to be followed.
_FAR = 1e6


class BadSegmentation(ValueError):
    """A segmentation that is not COCO's, or not one of this image; its text says in which way."""


def encode_rle(rows: Whole, columns: Whole, *, height: int, width: int) -> dict[str, Any]:
    """The compressed RLE `{"size": [height, width], "counts": text}` of the pixels at these positions."""
    positions = np.sort(columns.astype(np.int64) * height + rows)
    breaks = np.flatnonzero(np.diff(positions) > 1)
    starts = positions[np.concatenate([[0], breaks + 1])] if len(positions) else positions
    ends = positions[np.concatenate([breaks, [len(positions) - 1]])] + 1 if len(positions) else positions
    edges = np.concatenate([[0], np.column_stack([starts, ends]).ravel(), [height * width]])
    counts = np.diff(edges)
    if len(counts) > 1 and counts[-1] == 0:
        counts = counts[:-1]
    return {"size": [height, width], "counts": _to_text(counts.tolist())}


def decode_segmentation(segmentation: Any, *, height: int, width: int) -> Mask:
    """(height, width) uint8, 1 inside, of a list of polygons or of an RLE, compressed or not.

    A pixel is inside a polygon when its centre is: polygons are drawn in pixels, (0, 0) the image's upper left corner.
    One that is too thin for any centre to be inside marks the pixels along it.

    Raises:
        BadSegmentation: neither of them, or one of another image size.
    """
    if isinstance(segmentation, dict):
        return _decode_rle(segmentation, height, width)
    if isinstance(segmentation, list) and segmentation:
        return _fill_polygons(segmentation, height, width)
    raise BadSegmentation("An annotation has no polygon and no RLE; boxes alone say nothing of pixels.")


def whole(value: Any) -> int | None:
    """A whole number, also where it is written as text or as a float; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return int(number) if not isinstance(value, bool) and math.isfinite(number) and number == int(number) else None


def _decode_rle(rle: dict[str, Any], height: int, width: int) -> Mask:
    size, counts = rle.get("size"), rle.get("counts")
    stated = [whole(one) for one in size] if isinstance(size, list) else [None]
    if any(stated) and stated != [height, width]:
        raise BadSegmentation(f"An RLE is of size {size} (height, width) and the image is {[height, width]}.")
    lengths = _from_text(counts) if isinstance(counts, str) else counts
    if not isinstance(lengths, list):
        raise BadSegmentation("The counts of an RLE are neither its text nor a list of whole numbers from 0 up.")
    known = [number for one in lengths if (number := whole(one)) is not None and number >= 0]
    if len(known) != len(lengths):
        raise BadSegmentation("The counts of an RLE are neither its text nor a list of whole numbers from 0 up.")
    if sum(known) != height * width:
        raise BadSegmentation(f"The counts of an RLE add up to {sum(known)} pixels, not to {height * width}.")
    values = np.arange(len(known), dtype=np.uint8) % 2
    return np.repeat(values, known).reshape((height, width), order="F")


def _fill_polygons(polygons: Sequence[Any], height: int, width: int) -> Mask:
    mask = np.zeros((height, width), dtype=np.uint8)
    for points in _polygons(polygons):
        rows, columns = polygon_pixels(points[:, 1] - 0.5, points[:, 0] - 0.5, shape=(height, width))
        if not len(rows):
            rows, columns = _along(points, height, width)
        mask[rows, columns] = 1
    return mask


def _polygons(polygons: Sequence[Any]) -> Iterator[npt.NDArray[np.float64]]:
    """(n, 2) x, y of each: a list of x, y, x, y, …, alone or among others; of points; what is empty is passed over."""
    flat = all(not isinstance(one, (list, tuple)) for one in polygons if one is not None)
    given = [one for one in ([polygons] if flat else polygons) if one is not None and one != []]
    if not given:
        raise BadSegmentation("An annotation has no polygon and no RLE; boxes alone say nothing of pixels.")
    for one in given:
        try:
            points = np.asarray(one, dtype=np.float64).reshape(-1, 2)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadSegmentation("A polygon is not a list of x, y, x, y, …") from error
        if len(points) < 3 or not np.isfinite(points).all():
            raise BadSegmentation("A polygon has fewer than three points, or one that is no number.")
        yield np.clip(points, -_FAR, _FAR)


def _along(points: npt.NDArray[np.float64], height: int, width: int) -> tuple[Whole, Whole]:
    """Rows and columns of the pixels that a polygon's sides run through, within the image."""
    ends = np.roll(points, -1, axis=0)
    inside = np.clip(points, -1, [width + 1, height + 1]), np.clip(ends, -1, [width + 1, height + 1])
    steps = np.ceil(2 * np.abs(inside[1] - inside[0]).max(axis=1)).astype(np.int64) + 1
    sides = [
        start + (end - start) * np.linspace(0, 1, count)[:, None]
        for start, end, count in zip(*inside, steps, strict=True)
    ]
    places = np.unique(np.floor(np.concatenate(sides)).astype(np.int64), axis=0)
    within = (places >= 0).all(axis=1) & (places < [width, height]).all(axis=1)
    return places[within, 1], places[within, 0]


def _to_text(counts: Sequence[int]) -> str:
    text = []
    for index, count in enumerate(counts):
        value = count - counts[index - 2] if index > 2 else count
        more = True
        while more:
            group, value = value & 0x1F, value >> 5
            more = value != (-1 if group & 0x10 else 0)
            text.append(chr(group + 48 + (0x20 if more else 0)))
    return "".join(text)


def _from_text(text: str) -> list[int]:
    counts: list[int] = []
    value = shift = 0
    for character in text:
        group = ord(character) - 48
        if not 0 <= group < 64 or shift > 60:
            raise BadSegmentation("The counts of an RLE hold a character that COCO's text never has.")
        value |= (group & 0x1F) << shift
        shift += 5
        if group & 0x20:
            continue
        if group & 0x10:
            value -= 1 << shift
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value = shift = 0
    if shift:
        raise BadSegmentation("The counts of an RLE end in the middle of a number.")
    return counts
