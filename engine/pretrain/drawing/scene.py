"""A scene: what is in the picture before anything is wrong with it, and where a defect may lie."""

from dataclasses import dataclass, field

import numpy as np

from engine.pretrain.drawing.fields import Bits, Field, Rng
from engine.pretrain.drawing.palette import Picture


@dataclass
class Scene:
    """A normal picture and what the drawing knows about it.

    Attributes:
        rgb: (s, s, 3) float32, about 0–1, before lighting and camera.
        region: (s, s) bool, where a defect may lie.
        noun: what a caption calls it, such as "leather" or "circuit board".
        family: "surface", "parts", "board", "label", "tissue", "skin", "scan" or "echo".
        background: (s, s, 3), what lies behind the pieces; the picture itself where there are none.
        pieces: coverage (s, s) of each separate thing that could be missing, doubled or out of place.
        dull: True for pictures that have no lamp and no gloss (scans).
    """

    rgb: Picture
    region: Bits
    noun: str
    family: str
    background: Picture
    pieces: list[Field] = field(default_factory=list)
    dull: bool = False

    @property
    def size(self) -> int:
        """Side in px."""
        return self.rgb.shape[0]

    def somewhere(self, rng: Rng) -> tuple[float, float]:
        """A random (row, column) px within the region."""
        places = np.flatnonzero(self.region)
        place = int(places[rng.integers(places.size)])
        return float(place // self.size), float(place % self.size)
