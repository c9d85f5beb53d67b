"""In which shape the model sees an image: a grid of patches that keeps the image's proportions."""

import math
from typing import NamedTuple

# Up to here the paper's square is kept: squashing so little costs nothing, and the positions stay those of training.
NEARLY_SQUARE = 1.6
# Beyond, the grid keeps the image's proportions up to this ratio; what is longer still is squashed to it.
LONGEST = 4.0
# A long image has so many times the patches of a square one.
MORE_PATCHES = 1.4


class Grid(NamedTuple):
    """Patches down and across."""

    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """How many patches there are."""
        return self.rows * self.columns

    def times(self, pixels: int) -> "Grid":
        """The same grid with each cell cut into pixels × pixels: its size in px."""
        return Grid(self.rows * pixels, self.columns * pixels)


def square(side: int) -> Grid:
    """The grid that the paper uses: side × side."""
    return Grid(side, side)


def grid_for(width: int, height: int, side: int) -> Grid:
    """The grid for an image of this size, in px.

    Args:
        width: of the upright image.
        height: of it.
        side: patches on a side of the square grid, whose number of patches is about kept.
    """
    if max(width, height) <= NEARLY_SQUARE * min(width, height):
        return square(side)
    return proportional(width, height, side * math.sqrt(MORE_PATCHES))


def proportional(width: int, height: int, side: float) -> Grid:
    """The grid of about side² cells with the proportions of an image, up to a ratio of `LONGEST`."""
    ratio = min(max(width, height) / min(width, height), LONGEST)
    short = max(1, round(side / math.sqrt(ratio)))
    long = max(short, round(short * ratio))
    return Grid(long, short) if height > width else Grid(short, long)
