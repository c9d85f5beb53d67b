"""Scenes that are put together: panels, frames, stripes and rows of holes, with borders that are normal."""

import numpy as np
from scipy import ndimage

from engine.pretrain.drawing.fields import Field, Rng, cells, grain, lattice, rotated, soft_step
from engine.pretrain.drawing.materials import MATERIALS
from engine.pretrain.drawing.palette import Picture, blend, random_colour
from engine.pretrain.drawing.scene import Scene
from engine.pretrain.drawing.shapes import FORMS, silhouette

_NOUNS = ("panel", "housing", "frame", "plate", "part", "assembly")


def layout(rng: Rng, size: int) -> Scene:
    """Two to four areas of other materials or tones, with or without seams, and with things in a row on them."""
    rgb = _fill(rng, size)
    for _ in range(int(rng.integers(1, 4))):
        depth = _AREAS[int(rng.integers(len(_AREAS)))](rng, size)
        other = _fill(rng, size) if rng.random() < 0.6 else rgb * np.float32(rng.uniform(0.4, 1.5))
        rgb = blend(rgb, other, soft_step(depth, rng.uniform(0.5, 2.0)))
        if rng.random() < 0.5:
            seam = np.exp(-((depth / rng.uniform(0.6, 2.5)) ** 2))
            rgb = rgb + (seam * rng.choice([-1, 1]) * rng.uniform(0.1, 0.5))[..., None]
    if rng.random() < 0.4:
        rgb = blend(rgb, _fill(rng, size), _row_of_things(rng, size))
    rgb = np.clip(rgb, 0, 1).astype(np.float32)
    return Scene(rgb, np.ones((size, size), dtype=bool), str(rng.choice(_NOUNS)), "surface", rgb)


def _fill(rng: Rng, size: int) -> Picture:
    if rng.random() < 0.4:
        return np.tile(random_colour(rng, 0.0, 1.0), (size, size, 1)) + grain(rng, size)[..., None] * 0.01
    return MATERIALS[str(rng.choice(list(MATERIALS)))](rng, size)


def _beyond_line(rng: Rng, size: int) -> Field:
    """All on one side of a straight or curved line; like every area, px inside, negative outside."""
    turn = rng.choice([0.0, np.pi / 2, np.pi, 3 * np.pi / 2, rng.uniform(0, 2 * np.pi)])
    bend = lattice(rng, size, 3) * rng.uniform(0, 0.3) * (rng.random() < 0.3)
    return ((rotated(size, turn)[0] + bend - rng.uniform(-0.6, 0.8)) * size / 2).astype(np.float32)


def _border(rng: Rng, size: int) -> Field:
    """A frame along the picture's rim, round or square, not always closed."""
    rows, columns = rotated(size, rng.normal(0, 0.05))
    power = rng.choice([2.0, 4.0, 20.0])
    distance = np.abs(rows / rng.uniform(0.7, 1.4)) ** power + np.abs(columns / rng.uniform(0.7, 1.4)) ** power
    return ((distance ** (1 / power) - rng.uniform(0.6, 0.95)) * size / 2).astype(np.float32)


def _stripes(rng: Rng, size: int) -> Field:
    """Bands of one width, straight or in rings."""
    rows, columns = rotated(size, rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)]))
    across = rows if rng.random() < 0.7 else np.hypot(rows - rng.uniform(-1, 1), columns - rng.uniform(-1, 1))
    waves = rng.uniform(3, 18)
    wave = np.sin(across * waves + rng.uniform(0, 6.3)) + rng.uniform(-0.8, 0.8)
    return (wave * size / 2 / waves).astype(np.float32)


def _bar(rng: Rng, size: int) -> Field:
    """A bar, a groove or a strip through the picture."""
    rows, _ = rotated(size, rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)]))
    return ((rng.uniform(0.02, 0.3) - np.abs(rows - rng.uniform(-0.8, 0.8))) * size / 2).astype(np.float32)


def _plates(rng: Rng, size: int) -> Field:
    """Some of a few large cells."""
    _, owner = cells(rng, size, int(rng.integers(3, 9)))
    names = np.unique(owner)
    inside = np.isin(owner, rng.choice(names, max(names.size // 2, 1), replace=False))
    depth = ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    return depth.astype(np.float32)


def _row_of_things(rng: Rng, size: int) -> Field:
    """Holes, screws or studs, alike, in a row or a grid."""
    form, seed = str(rng.choice(FORMS)), int(rng.integers(2**31))
    radius, turn = rng.uniform(0.02, 0.09) * size, rng.uniform(0, 6.3)
    pitch = radius * rng.uniform(2.6, 6.0)
    first_row, first_column = rng.uniform(0.0, 0.9, 2) * size
    down, across = (1, int(rng.integers(2, 8))) if rng.random() < 0.6 else (3, 4)
    if rng.random() < 0.5:
        down, across = across, down
    total = np.zeros((size, size), dtype=np.float32)
    for row in range(down):
        for column in range(across):
            centre = (first_row + row * pitch, first_column + column * pitch)
            total = np.maximum(total, silhouette(np.random.default_rng(seed), size, centre, radius, form, turn))
    return total


_AREAS = (_beyond_line, _beyond_line, _border, _stripes, _bar, _plates)
