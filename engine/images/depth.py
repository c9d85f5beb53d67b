"""One rule for all images of more than 8 bits: which value is black and which is white, so that exposures compare.

Whole numbers are seen over the depth that their camera has (8, 12 or 14 bits, or all 16), as what the first image holds
tells, or about its range where that is narrow and far from black; other numbers between its robust ends. A hot pixel or
a value that stands for "no data" counts in neither.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.errors import ImageError

_Values = npt.NDArray[Any]
_Floats = npt.NDArray[np.float64]
_DEPTHS = (8, 12, 14, 16)
# Of values that are no whole numbers, the shares that may be darker than black and brighter than white.
_ROBUST = (0.1, 99.9)
# Values beyond this are written by programs that have nothing to say.
_ENDLESS = 1e30
_SAMPLE = 1 << 18
_STRIP = 1 << 20  # pixels that are worked on at a time
_WHITE = 255.0


@dataclass(frozen=True)
class DepthRule:
    """Values from `low` (black) to `high` (white), linear in between; what lies beyond is black or white."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Raises ValueError where that is no range."""
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"{self.low:g} to {self.high:g} is no range from black to white.")

    def __str__(self) -> str:
        return f"{self.low!r}:{self.high!r}"

    @classmethod
    def parse(cls, text: str) -> "DepthRule":
        """The rule that `str` gave. Raises ValueError."""
        low, _, high = text.partition(":")
        return cls(float(low), float(high))

    def grey(self, values: _Values) -> npt.NDArray[np.uint8]:
        """Values of any shape and kind → 0 to 255; what is no number is black."""
        scale = _WHITE / (self.high - self.low)
        if values.dtype in (np.uint8, np.uint16):
            whole = np.arange(np.iinfo(values.dtype).max + 1, dtype=np.float64)
            return _rounded((whole - self.low) * scale)[values]
        with np.errstate(invalid="ignore"):  # signalling NaN, in damaged files
            numbers = np.nan_to_num(values.astype(np.float64), nan=self.low)
        return _rounded((np.clip(numbers, self.low, self.high) - self.low) * scale)


def _rounded(values: _Floats) -> npt.NDArray[np.uint8]:
    return np.rint(np.clip(values, 0, _WHITE)).astype(np.uint8)


def rule_for(values: _Values, no_data: float | None = None) -> DepthRule | None:
    """The rule that an image of these values (any shape) would set; None where they are all the same.

    Args:
        values: a sample of the image's.
        no_data: the value that its file says stands for "no data".

    Raises:
        ImageError: there is no number among them.
    """
    with np.errstate(invalid="ignore"):  # signalling NaN, in damaged files
        numbers = values.astype(np.float64).ravel()
    numbers = numbers[np.isfinite(numbers) & (np.abs(numbers) < _ENDLESS)]
    if no_data is not None:
        numbers = numbers[numbers != no_data]
    if not numbers.size:
        raise ImageError("The image holds no number that is finite and stands for something. Export it anew.")
    numbers = _without_strays(np.sort(numbers))
    low, high = float(numbers[0]), float(numbers[-1])
    if low == high:
        return None
    if low >= 0 and high < 1 << _DEPTHS[-1] and bool((numbers == np.rint(numbers)).all()):
        deepest = float((1 << next(bits for bits in _DEPTHS if high < 1 << bits)) - 1)
        span = high - low
        if low > span and span < deepest / 4:  # far from black, and little between: over all of the depth none is seen
            return DepthRule(max(0.0, low - span / 2), min(deepest, high + span / 2))
        return DepthRule(0.0, deepest)
    if low >= 0 and high <= 1:
        return DepthRule(0.0, 1.0)
    ends = [float(one) for one in np.percentile(numbers, _ROBUST)]
    return DepthRule(*ends) if ends[0] < ends[1] else DepthRule(low, high)


def _without_strays(numbers: _Floats) -> _Floats:
    """Sorted values without those at an end that lie farther from all others than these lie from one another.

    That is one value, however often it is there (what stands for "no data"), or a few pixels of several (hot ones).
    """
    few = max(3, len(numbers) // 1000)
    for cut in (_one_stray, lambda values: _few_strays(values, few), _one_stray):
        numbers = -cut(-cut(numbers)[::-1])[::-1]  # above, then below
    return numbers


def _one_stray(numbers: _Floats) -> _Floats:
    """Without the highest value, where it is a stray; of fewer than four values none can be told from the others."""
    distinct = np.unique(numbers)
    while len(distinct) > 3 and distinct[-1] - distinct[-2] > distinct[-2] - distinct[0]:
        distinct = distinct[:-1]
    return numbers[: np.searchsorted(numbers, distinct[-1], side="right")]


def _few_strays(numbers: _Floats, few: int) -> _Floats:
    """Without the highest pixels, so many at most, where a gap parts them from all others."""
    rest = numbers[:-few]
    if len(np.unique(rest[-(1 << 14) :])) < 4:
        return numbers
    start = len(rest) - 1
    gaps = np.flatnonzero(np.diff(numbers[start:]) > numbers[start:-1] - numbers[0])
    return numbers[: start + int(gaps[0]) + 1] if gaps.size else numbers


def sample_of(image: Image.Image) -> _Values:
    """Some of the values of a picture of one channel, evenly from all over it."""
    step = max(1, round((image.width * image.height / _SAMPLE) ** 0.5))
    if step == 1:
        return np.asarray(image)
    return np.concatenate([rows[::step, ::step].ravel() for rows in strips(image, step)])


def strips(image: Image.Image, multiple: int = 1) -> Iterator[_Values]:
    """The picture's values, some rows (a multiple of so many) at a time: never another whole copy in memory."""
    rows = max(1, _STRIP // image.width // multiple) * multiple
    for top in range(0, image.height, rows):
        yield np.asarray(image.crop((0, top, image.width, min(top + rows, image.height))))
