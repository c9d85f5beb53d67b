"""Defects of what is there at all: missing, extra, misplaced, bent, broken off. Same returns as in `marks`."""

import numpy as np
from scipy import ndimage

from engine.pretrain.drawing.fields import Rng, displaced, grid, soft_step
from engine.pretrain.drawing.marks import Change, spread
from engine.pretrain.drawing.palette import blend
from engine.pretrain.drawing.scene import Scene
from engine.pretrain.drawing.shapes import blob


def missing(rng: Rng, scene: Scene) -> Change | None:
    """One piece gone; its place shows the ground."""
    if len(scene.pieces) < 2:
        return None
    piece = scene.pieces[int(rng.integers(len(scene.pieces)))]
    coverage = np.clip(ndimage.grey_dilation(piece, 3), 0, 1)
    return blend(scene.rgb, scene.background, coverage), coverage


def extra(rng: Rng, scene: Scene) -> Change | None:
    """A copy of something in the picture where it doesn't belong."""
    moved = _moved_copy(rng, scene)
    if moved is None:
        return None
    picture, coverage = moved
    return blend(scene.rgb, picture, coverage), coverage


def displaced_piece(rng: Rng, scene: Scene) -> Change | None:
    """A piece turned or pushed out of its place; the mask covers the old place and the new one."""
    if not scene.pieces:
        return None
    piece = scene.pieces[int(rng.integers(len(scene.pieces)))]
    gone = np.clip(ndimage.grey_dilation(piece, 3), 0, 1)
    rows, columns = np.nonzero(piece > 0.5)
    if rows.size < 6:
        return None
    extent = max(np.ptp(rows), np.ptp(columns)) + 1
    push = rng.uniform(0.25, 0.6) * extent
    heading, turn = rng.uniform(0, 2 * np.pi), rng.uniform(-0.8, 0.8)
    offset = (push * np.sin(heading), push * np.cos(heading))
    picture, coverage = _transported(scene, piece, (float(rows.mean()), float(columns.mean())), offset, turn)
    rgb = blend(blend(scene.rgb, scene.background, gone), picture, coverage)
    return rgb, np.maximum(gone, coverage)


def _moved_copy(rng: Rng, scene: Scene) -> Change | None:
    source, target = scene.somewhere(rng), scene.somewhere(rng)
    if scene.pieces and rng.random() < 0.7:
        piece = scene.pieces[int(rng.integers(len(scene.pieces)))]
        rows, columns = np.nonzero(piece > 0.5)
        if rows.size < 6:
            return None
        source = (float(rows.mean()), float(columns.mean()))
    else:
        piece = blob(rng, scene.size, source, spread(rng, 0.04, 0.14) * scene.size, 0.3)
    offset = (target[0] - source[0], target[1] - source[1])
    return _transported(scene, piece, source, offset, rng.uniform(-1.5, 1.5))


def _transported(
    scene: Scene, piece: np.ndarray, centre: tuple[float, float], offset: tuple[float, float], turn: float
) -> Change:
    """The picture and the piece's coverage, turned around `centre` and pushed by `offset` px."""
    rows, columns = np.mgrid[0 : scene.size, 0 : scene.size].astype(np.float32)
    down, right = rows - centre[0] - offset[0], columns - centre[1] - offset[1]
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    from_rows = centre[0] + cos * down - sin * right - rows
    from_columns = centre[1] + sin * down + cos * right - columns
    stacked = np.concatenate([scene.rgb, piece[..., None]], axis=2).astype(np.float32)
    inside = (np.abs(down) < scene.size) & (np.abs(right) < scene.size)
    moved = displaced(stacked, from_rows, from_columns)
    return moved[..., :3], moved[..., 3] * inside


def swapped(rng: Rng, scene: Scene) -> Change | None:
    """A cut-out of the surface turned or taken from elsewhere: the pattern is broken at its rim."""
    if scene.family not in ("surface", "label", "board"):
        return None
    source, target = scene.somewhere(rng), scene.somewhere(rng)
    height, width = (spread(rng, 0.06, 0.25) * scene.size for _ in range(2))
    rows, columns = grid(scene.size)
    half = scene.size / 2
    down, right = np.abs(rows * half + half - source[0]), np.abs(columns * half + half - source[1])
    box = soft_step(np.minimum(height - down, width - right), 0.7)
    offset = (target[0] - source[0], target[1] - source[1])
    turn = rng.choice([np.pi / 2, rng.uniform(0.3, 1.2)])
    picture, coverage = _transported(scene, box, source, offset, float(turn))
    return blend(scene.rgb, np.clip(picture * rng.uniform(0.8, 1.2), 0, 1), coverage), coverage


def bent(rng: Rng, scene: Scene) -> Change:
    """Pulled, pushed or twisted around one place."""
    place, radius = scene.somewhere(rng), spread(rng, 0.1, 0.3) * scene.size
    rows, columns = np.mgrid[0 : scene.size, 0 : scene.size].astype(np.float32)
    down, right = rows - place[0], columns - place[1]
    pull = np.exp(-(down**2 + right**2) / (2 * (radius / 2) ** 2)).astype(np.float32)
    if rng.random() < 0.5:
        twist = pull * rng.choice([-1, 1]) * rng.uniform(0.5, 1.4)
        shift_rows, shift_columns = -np.sin(twist) * right, np.sin(twist) * down
    else:
        push = rng.uniform(0.25, 0.6) * radius
        heading = rng.uniform(0, 2 * np.pi)
        shift_rows, shift_columns = pull * push * np.sin(heading), pull * push * np.cos(heading)
    picture = displaced(scene.rgb.astype(np.float32), shift_rows, shift_columns)
    coverage = soft_step(pull - 0.3, 0.15)
    return blend(scene.rgb, picture, np.clip(coverage * 2, 0, 1)), coverage


def chipped(rng: Rng, scene: Scene) -> Change | None:
    """A bite out of a part's rim."""
    if scene.family != "parts":
        return None
    rim = scene.region ^ ndimage.binary_erosion(scene.region)
    inside = ndimage.binary_erosion(np.ones_like(rim), iterations=3)
    places = np.flatnonzero(rim & inside)
    if places.size == 0:
        return None
    place = int(places[rng.integers(places.size)])
    centre = (place // scene.size, place % scene.size)
    bite = blob(rng, scene.size, centre, spread(rng, 0.04, 0.16) * scene.size, 0.6)
    coverage = bite * ndimage.binary_dilation(scene.region, iterations=2)
    return blend(scene.rgb, scene.background, coverage), coverage
