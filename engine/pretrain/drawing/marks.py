"""Defects that lie on a surface: each returns the changed picture and the defect's coverage, (s, s) 0–1."""

import numpy as np
from scipy import ndimage

from engine.pretrain.drawing.fields import Field, Rng, displaced, fractal, grain, grid, lattice, soft_step
from engine.pretrain.drawing.materials import MATERIALS
from engine.pretrain.drawing.palette import Colour, Picture, blend, random_colour, shifted
from engine.pretrain.drawing.scene import Scene
from engine.pretrain.drawing.shapes import blob, blob_depth, branches, dome, strokes, walk

Change = tuple[Picture, Field]


def spread(rng: Rng, low: float, high: float) -> float:
    """A number between low and high, each order of magnitude as likely."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def contrast_near(rng: Rng, scene: Scene, place: tuple[float, float]) -> float:
    """How strong a mark is: faint on calm ground, mostly stronger on busy ground.

    On busy ground a line may differ from its surroundings by less than they vary: the eye still sees that it goes on.
    """
    row, column, reach = int(place[0]), int(place[1]), max(scene.size // 8, 4)
    near = scene.rgb[max(row - reach, 0) : row + reach, max(column - reach, 0) : column + reach].mean(axis=2)
    return spread(rng, 0.04, 0.4) + float(near.std()) * rng.uniform(0.0, 1.6)


def _colour_at(scene: Scene, place: tuple[float, float]) -> Colour:
    row, column = int(place[0]), int(place[1])
    return np.clip(scene.rgb[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4].mean(axis=(0, 1)), 0, 1)


def _toned(rng: Rng, scene: Scene, place: tuple[float, float], coverage: Field, dark: float) -> Change:
    """A mark painted darker (with chance `dark`) or brighter than its surroundings."""
    by = contrast_near(rng, scene, place) * (-1 if rng.random() < dark else 1)
    level = float(_colour_at(scene, place).mean())
    if abs(np.clip(level + by, 0, 1) - level) < 0.5 * abs(by):
        by = -by
    tint = 1 + rng.normal(0, 0.1, 3).astype(np.float32)
    return (np.clip(scene.rgb, 0, 1) + coverage[..., None] * np.float32(by) * tint).astype(np.float32), coverage


def scratch(rng: Rng, scene: Scene) -> Change:
    """One or a few nearly straight lines, sometimes fading along their way."""
    size, place, angle = scene.size, scene.somewhere(rng), rng.uniform(0, 2 * np.pi)
    count = 1 if rng.random() < 0.65 else int(rng.integers(2, 6))
    paths = []
    for _ in range(count):
        start = (place[0] + rng.normal(0, 4) * (count > 1), place[1] + rng.normal(0, 4) * (count > 1))
        paths.append(walk(rng, start, angle + rng.normal(0, 0.15), spread(rng, 0.06, 0.9) * size, 0.03))
    coverage = strokes(size, paths, [spread(rng, 0.5, 2.6) * size / 128] * count)
    if rng.random() < 0.3:
        coverage = coverage * soft_step(lattice(rng, size, 6) + 0.6, 0.8)
    return _toned(rng, scene, place, coverage, dark=0.4)


def crack(rng: Rng, scene: Scene) -> Change:
    """A jagged dark line, from a hair's width to a gap, often branching."""
    size, place = scene.size, scene.somewhere(rng)
    length, wobble = spread(rng, 0.12, 1.3) * size, rng.uniform(0.15, 0.5)
    depth = 0 if rng.random() < 0.5 else int(rng.integers(1, 3))
    paths, levels = branches(rng, place, length, depth, wobble)
    back = walk(rng, place, rng.uniform(0, 6.3), length * 0.5, wobble)
    width = spread(rng, 0.5, 3.2) * size / 128
    widths = [max(width * 0.65**level, 0.45) for level in [*levels, 0]]
    coverage = strokes(size, [*paths, back], widths)
    if rng.random() < 0.4:
        coverage = np.clip(coverage * (1 + 0.6 * grain(rng, size, 1.0)), 0, 1) * (coverage > 0)
    return _toned(rng, scene, place, coverage, dark=0.88)


def spots(rng: Rng, scene: Scene) -> Change:
    """One to a dozen small specks near each other."""
    size, place = scene.size, scene.somewhere(rng)
    coverage = np.zeros((size, size), dtype=np.float32)
    near = spread(rng, 0.02, 0.2) * size
    for number in range(1 if rng.random() < 0.5 else int(rng.integers(2, 10))):
        offset = rng.normal(0, near, 2) * (number > 0)
        radius = max(spread(rng, 0.008, 0.04) * size, 1.2)
        coverage = np.maximum(coverage, blob(rng, size, (place[0] + offset[0], place[1] + offset[1]), radius, 0.3))
    return _toned(rng, scene, place, coverage, dark=0.6)


def stain(rng: Rng, scene: Scene) -> Change:
    """A soft-edged patch of another tone through which the surface still shows, sometimes with a rim."""
    size, place = scene.size, scene.somewhere(rng)
    depth = blob_depth(rng, size, place, spread(rng, 0.05, 0.32) * size, 0.7)
    coverage = soft_step(depth, spread(rng, 0.8, 5.0))
    strength = rng.uniform(0.35, 1.0) * coverage * np.clip(1 + 0.3 * fractal(rng, size, 4, 3), 0.3, 1.5)
    if rng.random() < 0.3:
        strength = np.clip(strength * 0.5 + 0.6 * np.exp(-((depth - 2) ** 2) / 6) * coverage, 0, 1)
    tone = shifted(rng, _colour_at(scene, place), contrast_near(rng, scene, place) + 0.08)
    return blend(scene.rgb, scene.rgb * 0.4 + tone * 0.6, np.clip(strength, 0, 1)), coverage


def discoloured(rng: Rng, scene: Scene) -> Change:
    """Another hue or brightness over a wide patch, the texture unchanged."""
    size, place = scene.size, scene.somewhere(rng)
    coverage = soft_step(blob_depth(rng, size, place, spread(rng, 0.08, 0.35) * size, 0.6), spread(rng, 1.0, 6.0))
    gain = 1 + rng.normal(0, 0.1, 3) + rng.choice([-1, 1]) * rng.uniform(0.12, 0.45)
    return blend(scene.rgb, (scene.rgb * gain.astype(np.float32)), coverage), coverage


def dent(rng: Rng, scene: Scene) -> Change:
    """A hollow or a bump, visible only by its shading."""
    size, place = scene.size, scene.somewhere(rng)
    radius = spread(rng, 0.05, 0.25) * size
    height = dome(size, place, radius) if rng.random() < 0.5 else blob(rng, size, place, radius, 0.5)
    height = ndimage.gaussian_filter(height, radius * rng.uniform(0.12, 0.35))
    down, right = np.gradient(height * radius)
    light = rng.uniform(0, 2 * np.pi)
    slope = (down * np.sin(light) + right * np.cos(light)).astype(np.float32)
    slope = slope / (np.abs(slope).max() + 1e-6)
    coverage = soft_step(height - 0.22, 0.15)
    gain = 1 + (0.15 + contrast_near(rng, scene, place)) * slope
    floor = rng.normal(0, 0.08) * height
    return blend(scene.rgb, scene.rgb * gain[..., None] + floor[..., None], np.clip(coverage * 2, 0, 1)), coverage


def hole(rng: Rng, scene: Scene) -> Change:
    """Something punched or broken through: a dark inside, a brighter or darker rim."""
    size, place = scene.size, scene.somewhere(rng)
    depth = blob_depth(rng, size, place, spread(rng, 0.025, 0.16) * size, rng.choice([0.05, 0.5]))
    inside = soft_step(depth, 0.8)
    rim = np.exp(-((depth + 0.5) ** 2) / 2.5) * (rng.random() < 0.6)
    dark = np.broadcast_to(random_colour(rng, 0.0, 0.2), scene.rgb.shape)
    if scene.family == "parts":
        dark = scene.background
    if float(np.abs(dark - scene.rgb)[inside > 0.5].mean() if (inside > 0.5).any() else 0) < 0.1:
        dark = np.float32(1.0) - scene.rgb if scene.rgb.mean() < 0.3 else scene.rgb * 0.25
    rgb = scene.rgb + rng.choice([-0.2, 0.25]) * rim[..., None]
    coverage = np.maximum(inside, soft_step(rim - 0.4, 0.2))
    return blend(scene.rgb, blend(rgb, dark, inside), np.clip(coverage * 1.5, 0, 1)), coverage


def foreign(rng: Rng, scene: Scene) -> Change:
    """A patch of another material: contamination, glue, a wrong piece of cloth."""
    size, place = scene.size, scene.somewhere(rng)
    coverage = blob(rng, size, place, spread(rng, 0.035, 0.25) * size, rng.uniform(0.1, 0.9))
    other = MATERIALS[str(rng.choice(list(MATERIALS)))](rng, size)
    close = abs(float(other.mean() - _colour_at(scene, place).mean())) < 0.1
    return blend(scene.rgb, np.clip(other + (rng.choice([-0.2, 0.2]) if close else 0), 0, 1), coverage), coverage


def fibre(rng: Rng, scene: Scene) -> Change:
    """A hair or a loose thread, curled, with a thin shadow."""
    size, place = scene.size, scene.somewhere(rng)
    path = walk(rng, place, rng.uniform(0, 6.3), spread(rng, 0.15, 0.9) * size, rng.uniform(0.1, 0.4), 2.5)
    coverage = strokes(size, [path], [spread(rng, 0.7, 2.2) * size / 128])
    colour = shifted(rng, _colour_at(scene, place), contrast_near(rng, scene, place) + 0.12)
    return blend(scene.rgb, colour, coverage), coverage


def smear(rng: Rng, scene: Scene) -> Change:
    """The surface wiped, melted or worn away: its texture is blurred, stretched or swapped for noise."""
    size, place = scene.size, scene.somewhere(rng)
    coverage = soft_step(blob_depth(rng, size, place, spread(rng, 0.07, 0.3) * size, 0.6), rng.uniform(0.7, 2.5))
    way = rng.integers(3)
    if way == 0:
        changed = ndimage.gaussian_filter(scene.rgb, (*rng.uniform(1.0, 5.0, 2), 0))
        changed = changed * (1 + rng.choice([-1, 1]) * rng.uniform(0.08, 0.25))
    elif way == 1:
        push = rng.uniform(4, 12) * size / 128
        changed = displaced(scene.rgb, lattice(rng, size, 5) * push, lattice(rng, size, 5) * push)
        changed = changed * (1 + rng.choice([-1, 1]) * rng.uniform(0.03, 0.15))
    else:
        rough = grain(rng, size, rng.uniform(0.4, 1.5)) * (0.06 + contrast_near(rng, scene, place) * 0.7)
        changed = scene.rgb + rough[..., None]
    return blend(scene.rgb, changed.astype(np.float32), coverage), coverage


def streak(rng: Rng, scene: Scene) -> Change:
    """A broad straight band of another tone that runs through: a rolling mark, a drip, a wrong thread."""
    size, place, angle = scene.size, scene.somewhere(rng), rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)])
    rows, columns = grid(size)
    half = size / 2
    down, right = rows * half + half - place[0], columns * half + half - place[1]
    across = np.abs(-np.sin(angle) * right + np.cos(angle) * down)
    along = np.abs(np.cos(angle) * right + np.sin(angle) * down)
    coverage = soft_step(spread(rng, 0.8, 5) * size / 128 - across, rng.uniform(0.6, 2.0))
    coverage = coverage * soft_step(spread(rng, 0.15, 1.5) * size / 2 - along, rng.uniform(0.7, 3))
    return _toned(rng, scene, place, coverage, dark=0.5)
