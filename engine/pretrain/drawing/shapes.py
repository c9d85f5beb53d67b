"""Outlines and strokes, as coverage of each pixel: (s, s) float32, 0–1."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from engine.pretrain.drawing.fields import Field, Rng, grid, rotated, soft_step

Points = npt.NDArray[np.float32]
_OVERSAMPLE = 3


def blob(rng: Rng, size: int, centre: tuple[float, float], radius: float, rough: float = 0.25) -> Field:
    """A roundish patch with a wavy outline; `centre` (row, column) and `radius` in px, an edge of 1 px."""
    return soft_step(blob_depth(rng, size, centre, radius, rough), 0.7)


def blob_depth(rng: Rng, size: int, centre: tuple[float, float], radius: float, rough: float = 0.25) -> Field:
    """How far inside a wavy, squeezed circle a pixel lies, in px; negative outside."""
    rows, columns = rotated(size, rng.uniform(0, np.pi))
    row, column = _rotate_point(size, centre, rows, columns)
    squeeze = np.float32(np.exp(rng.uniform(-0.45, 0.45)))
    down, right = (rows - row) * (size / 2) * squeeze, (columns - column) * (size / 2) / squeeze
    angle = np.arctan2(down, right)
    wave = np.ones_like(angle)
    for harmonic in range(2, 7):
        strength = rough * rng.uniform(0, 1) / harmonic
        wave += np.float32(strength) * np.sin(np.float32(harmonic) * angle + np.float32(rng.uniform(0, 2 * np.pi)))
    return (radius * wave - np.hypot(down, right)).astype(np.float32)


def _rotate_point(size: int, centre: tuple[float, float], rows: Field, columns: Field) -> tuple[float, float]:
    row, column = (int(np.clip(c, 0, size - 1)) for c in centre)
    return float(rows[row, column]), float(columns[row, column])


def walk(rng: Rng, start: tuple[float, float], angle: float, length: float, wobble: float, step: float = 3.0) -> Points:
    """A random path of (row, column) px; `wobble` is the deviation of each turn in radians."""
    count = max(int(length / step), 2)
    turns = rng.normal(0, wobble, count)
    turns += rng.normal(0, wobble * 0.3)
    headings = angle + np.cumsum(turns) - turns[0]
    steps = np.stack([np.sin(headings), np.cos(headings)], axis=1) * step
    return (np.array(start) + np.vstack([np.zeros(2), np.cumsum(steps, axis=0)])).astype(np.float32)


def strokes(size: int, paths: Sequence[Points], widths: Sequence[float]) -> Field:
    """Coverage of drawn paths; widths in px, thinner than 1 px gets fainter instead."""
    k = _OVERSAMPLE
    sheet = Image.new("L", (size * k, size * k), 0)
    draw = ImageDraw.Draw(sheet)
    for path, width in zip(paths, widths, strict=True):
        points = [(float(c) * k, float(r) * k) for r, c in path]
        draw.line(points, fill=255, width=max(round(width * k), 1), joint="curve" if width > 2 else None)
    return _reduced(sheet)


def filled(size: int, path: Points) -> Field:
    """Coverage of a closed polygon of (row, column) px."""
    k = _OVERSAMPLE
    sheet = Image.new("L", (size * k, size * k), 0)
    ImageDraw.Draw(sheet).polygon([(float(c) * k, float(r) * k) for r, c in path], fill=255)
    return _reduced(sheet)


def _reduced(sheet: Image.Image) -> Field:
    return (np.asarray(sheet.reduce(_OVERSAMPLE), dtype=np.float32) / 255).astype(np.float32)


def branches(
    rng: Rng, start: tuple[float, float], length: float, depth: int, wobble: float
) -> tuple[list[Points], list[int]]:
    """A path with side paths, and the level of each (0 is the stem)."""
    angle = rng.uniform(0, 2 * np.pi)
    paths, levels = [walk(rng, start, angle, length, wobble)], [0]
    for level in range(1, depth + 1):
        for parent in [p for p, parent_level in zip(paths, levels, strict=True) if parent_level == level - 1]:
            for _ in range(rng.integers(1, 4)):
                at = int(rng.integers(len(parent)))
                heading = parent[min(at + 1, len(parent) - 1)] - parent[max(at - 1, 0)]
                turn = np.arctan2(heading[0], heading[1]) + rng.choice([-1, 1]) * rng.uniform(0.3, 1.2)
                at_point = (float(parent[at][0]), float(parent[at][1]))
                paths.append(walk(rng, at_point, turn, length * rng.uniform(0.25, 0.6) / level, wobble))
                levels.append(level)
    return paths, levels


def silhouette(rng: Rng, size: int, centre: tuple[float, float], radius: float, form: str, turn: float) -> Field:
    """A manufactured outline of one of FORMS, `radius` px from centre to rim, turned by `turn` radians."""
    count, angles = 96, np.linspace(0, 2 * np.pi, 96, endpoint=False)
    if form == "disc":
        radii = np.ones(count)
    elif form == "ellipse":
        squeeze = rng.uniform(0.4, 0.85)
        radii = squeeze / np.hypot(squeeze * np.cos(angles), np.sin(angles))
    elif form == "gear":
        teeth = int(rng.integers(6, 14))
        radii = 0.88 + 0.12 * np.sign(np.sin(teeth * angles))
    elif form == "polygon":
        sides = int(rng.integers(3, 9))
        within = np.mod(angles, 2 * np.pi / sides) - np.pi / sides
        radii = np.cos(np.pi / sides) / np.cos(within)
    elif form == "plate":
        aspect, power = rng.uniform(0.3, 1.0), rng.uniform(4, 14)
        radii = (np.abs(np.cos(angles)) ** power + np.abs(np.sin(angles) / aspect) ** power) ** (-1 / power)
        radii /= max(radii.max(), 1.0)
    else:
        radii = np.ones(count)
        for harmonic in range(2, 5):
            radii += rng.uniform(-0.2, 0.2) / harmonic * np.sin(harmonic * angles + rng.uniform(0, 6.3))
        radii /= radii.max()
    rim = np.stack([np.sin(angles + turn), np.cos(angles + turn)], axis=1) * (radii * radius)[:, None]
    return filled(size, (np.array(centre) + rim).astype(np.float32))


FORMS = ("disc", "ellipse", "gear", "polygon", "plate", "pebble")


def dome(size: int, centre: tuple[float, float], radius: float) -> Field:
    """Height of a half sphere: 1 at the centre, 0 from `radius` px on."""
    rows, columns = grid(size)
    half = size / 2
    down, right = rows * half + half - centre[0], columns * half + half - centre[1]
    return np.sqrt(np.clip(1 - (down**2 + right**2) / radius**2, 0, 1)).astype(np.float32)
