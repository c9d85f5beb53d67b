"""Masks as COCO writes them: run lengths down the columns, as numbers or as text, and polygons.

Run lengths alternate between background and foreground and begin with background. As text each length, from the
third on as its difference from the one two before, is written in groups of five bits, lowest first: bit 5 says that
another group follows, and 48 is added to make a printable character.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.draw import polygon as polygon_pixels

Mask = npt.NDArray[np.uint8]
Whole = npt.NDArray[np.int64]


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

    Raises:
        BadSegmentation: neither of them, or one of another image size.
    """
    if isinstance(segmentation, dict):
        return _decode_rle(segmentation, height, width)
    if isinstance(segmentation, list) and segmentation:
        return _fill_polygons(segmentation, height, width)
    raise BadSegmentation("An annotation has no polygon and no RLE; boxes alone say nothing of pixels.")


def _decode_rle(rle: dict[str, Any], height: int, width: int) -> Mask:
    size, counts = rle.get("size"), rle.get("counts")
    if size != [height, width]:
        raise BadSegmentation(f"An RLE is of size {size} (height, width) and the image is {[height, width]}.")
    lengths = _from_text(counts) if isinstance(counts, str) else counts
    if not isinstance(lengths, list) or not all(type(one) is int and one >= 0 for one in lengths):
        raise BadSegmentation("The counts of an RLE are neither its text nor a list of whole numbers from 0 up.")
    if sum(lengths) != height * width:
        raise BadSegmentation(f"The counts of an RLE add up to {sum(lengths)} pixels, not to {height * width}.")
    values = np.arange(len(lengths), dtype=np.uint8) % 2
    return np.repeat(values, lengths).reshape((height, width), order="F")


def _fill_polygons(polygons: Sequence[Any], height: int, width: int) -> Mask:
    mask = np.zeros((height, width), dtype=np.uint8)
    for flat in polygons:
        try:
            points = np.asarray(flat, dtype=np.float64).reshape(-1, 2)
        except (TypeError, ValueError) as error:
            raise BadSegmentation("A polygon is not a list of x, y, x, y, …") from error
        if len(points) < 3 or not np.isfinite(points).all():
            raise BadSegmentation("A polygon has fewer than three points, or one that is no number.")
        rows, columns = polygon_pixels(points[:, 1] - 0.5, points[:, 0] - 0.5, shape=(height, width))
        mask[rows, columns] = 1
    return mask


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
