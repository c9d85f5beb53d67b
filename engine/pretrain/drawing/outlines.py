"""Outlines of every sort: where a picture may differ from its surroundings, whatever the difference is called.

Each takes a place (row, column) and an extent in px and returns coverage, (s, s) 0–1.
"""

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from engine.pretrain.drawing.fields import Field, Rng, cells, fractal, grain, lattice, rotated, soft_step
from engine.pretrain.drawing.marks import spread
from engine.pretrain.drawing.scene import Scene
from engine.pretrain.drawing.shapes import FORMS, blob, blob_depth, branches, filled, silhouette, strokes, walk

Place = tuple[float, float]
Outline = Callable[[Rng, Scene, Place, float], Field]


def patch(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """A round, wavy or frayed patch with a hard or a soft edge."""
    depth = blob_depth(rng, scene.size, place, extent, rng.uniform(0.05, 1.0))
    return soft_step(depth, rng.uniform(0.5, max(extent * 0.6, 0.6)))


def lines(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """One or several paths, straight or curled, thin or broad."""
    size, angle = scene.size, rng.uniform(0, 2 * np.pi)
    count = 1 if rng.random() < 0.6 else int(rng.integers(2, 6))
    wobble, apart = rng.choice([0.0, 0.05, 0.15, 0.4]), rng.choice([0.0, 0.2, 3.0])
    starts = np.array(place) + rng.normal(0, extent * 0.3, (count, 2)) * (count > 1)
    paths = [walk(rng, (r, c), angle + rng.normal(0, apart), 2 * extent, wobble, 2.0) for r, c in starts]
    return strokes(size, paths, [_thickness(rng, scene)] * count)


def net(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """A stem with side branches."""
    paths, levels = branches(rng, place, 2 * extent, int(rng.integers(1, 3)), rng.uniform(0.0, 0.5))
    thickness = _thickness(rng, scene)
    return strokes(scene.size, paths, [max(thickness * 0.7**level, 0.5) for level in levels])


def islands(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """What a noise, stretched in some direction, leaves above a level, within a window."""
    size = scene.size
    noise = grain(rng, size, tuple(rng.uniform(0.5, 6.0, 2))) if rng.random() < 0.5 else fractal(rng, size, 6, 3)
    window = blob_depth(rng, size, place, extent, 0.4) / max(extent, 1.0)
    return soft_step(noise - rng.uniform(-0.5, 1.0) + np.minimum(window * 3, 0.3) - 0.3, rng.uniform(0.1, 0.6))


def figure(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """A manufactured outline, full or as a ring."""
    form, turn = str(rng.choice(FORMS)), rng.uniform(0, 2 * np.pi)
    whole = silhouette(rng, scene.size, place, max(extent, 1.5), form, turn)
    if extent < 4 or rng.random() < 0.6:
        return whole
    depth = ndimage.distance_transform_edt(whole > 0.5)
    return (whole * soft_step(rng.uniform(1.0, extent * 0.5) - depth, 0.7)).astype(np.float32)


def shard(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """A polygon with three to seven corners, pointed or blunt."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
    reach = extent * rng.uniform(0.3, 1.3, angles.size)[:, None]
    stretched = np.stack([np.sin(angles), np.cos(angles) * rng.uniform(0.2, 1.0)], axis=1) * reach
    turn = rng.uniform(0, 2 * np.pi)
    turned = stretched @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return filled(scene.size, (np.array(place) + turned).astype(np.float32))


def swarm(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """Many small things close together: dots, dashes or flecks."""
    size, count = scene.size, int(rng.integers(3, 14))
    places = np.array(place) + rng.normal(0, extent * 0.5, (count, 2))
    if rng.random() < 0.5:
        angle, spread_of_angles = rng.uniform(0, 2 * np.pi), rng.choice([0.05, 3.0])
        paths = [walk(rng, (r, c), angle + rng.normal(0, spread_of_angles), rng.uniform(2, 8), 0.1) for r, c in places]
        return strokes(size, paths, [_thickness(rng, scene)] * count)
    total = np.zeros((size, size), dtype=np.float32)
    radius = rng.uniform(0.7, 3.0) * size / 128
    for row, column in places:
        total = np.maximum(total, blob(rng, size, (row, column), radius * rng.uniform(0.6, 1.5), 0.4))
    return total


def mosaic(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """Some of the cells that random points divide the picture into."""
    _, owner = cells(rng, scene.size, int(np.clip((scene.size / max(extent, 2.0)) ** 2 * 2, 8, 600)))
    row, column = (int(np.clip(c, 0, scene.size - 1)) for c in place)
    chosen = owner == owner[row, column]
    near = np.unique(owner[ndimage.binary_dilation(chosen, iterations=2)])
    if rng.random() < 0.5:
        chosen = np.isin(owner, rng.choice(near, max(near.size // 2, 1)))
    return ndimage.gaussian_filter(chosen.astype(np.float32), rng.uniform(0.3, 1.0))


def grown(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """What is brighter (or darker) than the ground's middle nearby, so that the outline follows the structure."""
    grey = ndimage.gaussian_filter(scene.rgb.mean(axis=2), rng.uniform(0.5, 2.0))
    window = blob_depth(rng, scene.size, place, extent, 0.5)
    inside = window > 0
    if not inside.any():
        return soft_step(window, 0.7)
    level, spread_of_grey = float(np.median(grey[inside])), float(grey[inside].std()) + 1e-3
    sign = rng.choice([-1, 1])
    return soft_step((grey - level) * sign / spread_of_grey + 0.2, 0.3) * soft_step(window, 1.0)


def wedge(rng: Rng, scene: Scene, place: Place, extent: float) -> Field:
    """What lies beyond a straight or wavy line, as far as `extent` reaches along it."""
    size = scene.size
    rows, columns = rotated(size, rng.uniform(0, 2 * np.pi))
    row, column = (int(np.clip(c, 0, size - 1)) for c in place)
    across, along = (rows - rows[row, column]) * size / 2, (columns - columns[row, column]) * size / 2
    wave = lattice(rng, size, 6) * rng.uniform(0, 0.3) * extent
    inside = np.minimum(across + wave, extent * rng.uniform(0.3, 1.5) - across)
    return soft_step(np.minimum(inside, extent - np.abs(along)), rng.uniform(0.5, 1.5))


def _thickness(rng: Rng, scene: Scene) -> float:
    return spread(rng, 0.5, 5.0) * scene.size / 128


OUTLINES: tuple[Outline, ...] = (patch, lines, net, islands, figure, shard, swarm, mosaic, grown, wedge)
