"""Regions of interest: which pixels of images count, brought to images and maps of any size. Knows no torch."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import binary_dilation

Bits = npt.NDArray[np.bool_]
Shares = npt.NDArray[np.float32]

# How far the ratio of an image's sides may be from the mask's: a pixel's rounding at a hundred pixels.
_RATIO_TOLERANCE = 0.01
# Shares of so few cells are kept, of so many sizes: those of maps, which are few and alike.
_KEPT, _MOST_KEPT = 1_000_000, 16


def same_proportions(mask: tuple[int, ...], image: tuple[int, int]) -> bool:
    """Whether a mask and an image of these heights and widths may be of one picture at two sizes."""
    ratio = mask[1] * image[0] / (mask[0] * image[1])
    return 1 - _RATIO_TOLERANCE <= ratio <= 1 + _RATIO_TOLERANCE


@dataclass(frozen=True, eq=False)
class Interest:
    """A mask of what counts.

    Attributes:
        pixels: (h, w) of the image that it was drawn on; True: counts.
    """

    pixels: Bits
    _known: dict[tuple[int, int], Shares] = field(default_factory=dict, repr=False)

    def fits(self, height: int, width: int) -> bool:
        """Whether an image of this size has the mask's proportions: another one is not masked."""
        return same_proportions(self.pixels.shape, (height, width))

    def shares(self, height: int, width: int) -> Shares:
        """(height, width) the share of each cell's area that counts, 0–1."""
        known = self._known.get((height, width))
        if known is not None:
            return known
        resized = Image.fromarray(self.pixels.astype(np.float32)).resize((width, height), Image.Resampling.BOX)
        shares = np.clip(np.asarray(resized), 0.0, 1.0)
        if shares.size <= _KEPT and len(self._known) < _MOST_KEPT:
            self._known[height, width] = shares
        return shares

    def counting(self, height: int, width: int) -> Bits:
        """(height, width) the pixels of an image of this size that count: by half of their area or more."""
        return self.pixels if self.pixels.shape == (height, width) else self.shares(height, width) >= 0.5

    def reaching(self, height: int, width: int) -> Bits:
        """(height, width) the cells of a map that say something of a pixel that counts, their neighbours included."""
        return binary_dilation(self.shares(height, width) > 0, np.ones((3, 3), bool))
