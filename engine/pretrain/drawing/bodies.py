"""Scenes of living things: tissue through an endoscope, skin, brain-like and chest-like scans, ultrasound."""

import numpy as np
from scipy import ndimage

from engine.pretrain.drawing.fields import Field, Rng, displaced, fractal, grain, grid, lattice, soft_step, standard
from engine.pretrain.drawing.palette import Picture, blend, tone
from engine.pretrain.drawing.scene import Scene
from engine.pretrain.drawing.shapes import blob, blob_depth, branches, strokes, walk

_BLOOD = np.array([0.5, 1.0, 0.9], dtype=np.float32)  # what a vessel takes from red, green and blue


def tissue(rng: Rng, size: int) -> Scene:
    """The wall of a hollow organ: folds, vessels, a dark lumen, wet highlights, the endoscope's dark frame."""
    colour = tone(rng, (-0.03, 0.08), (0.3, 0.75), (0.45, 0.9))
    rows, columns = grid(size)
    lumen = rng.uniform(-0.9, 0.9, 2) * (rng.random() < 0.85)
    distance = np.hypot(rows - lumen[0], columns - lumen[1])
    rgb = np.tile(colour, (size, size, 1)) * (1 + 0.1 * fractal(rng, size, 2, 4, 0.5))[..., None]
    rgb = _vessels(rng, rgb)
    folds = _folds(rng, size, distance)
    shade = 1 + rng.uniform(0.05, 0.3) * folds + rng.uniform(0, 0.12) * fractal(rng, size, 3, 3)
    depth = soft_step(distance - rng.uniform(0.1, 0.5), rng.uniform(0.1, 0.5))
    shade = shade * (rng.uniform(0.1, 0.7) + depth * rng.uniform(0.3, 0.6))
    rgb = rgb * np.clip(shade, 0.03, 1.6)[..., None].astype(np.float32)
    rgb, region = _framed(rng, rgb)
    noun = str(rng.choice(["tissue", "colon", "mucosa", "bowel", "endoscopy image"]))
    return Scene(rgb, region & (depth > 0.25), noun, "tissue", rgb)


def _vessels(rng: Rng, rgb: Picture) -> Picture:
    size = rgb.shape[0]
    for _ in range(int(rng.integers(0, 5))):
        start = tuple(rng.uniform(0, size, 2))
        paths, levels = branches(rng, start, size * rng.uniform(0.4, 1.0), 2, 0.18)
        width = rng.uniform(0.8, 2.2)
        lines = ndimage.gaussian_filter(strokes(size, paths, [max(width * 0.6**n, 0.4) for n in levels]), 0.6)
        rgb = rgb * (1 - rng.uniform(0.1, 0.4) * lines[..., None] * _BLOOD)
    return rgb.astype(np.float32)


def _folds(rng: Rng, size: int, distance: Field) -> Field:
    """Ridges around the lumen with dark creases between; about −1 to 1."""
    warp = fractal(rng, size, 2, 3) * rng.uniform(0.1, 0.4)
    ridges = np.abs(np.sin(distance * rng.uniform(2, 7) + warp * 2 + rng.uniform(0, 6)))
    gate = soft_step(lattice(rng, size, 4) + rng.uniform(-0.3, 0.5), 0.6)
    return standard(ridges ** rng.uniform(0.3, 1.0)) * gate


def _framed(rng: Rng, rgb: Picture) -> tuple[Picture, np.ndarray]:
    """The round or cut-off field of view of an endoscope; the rest is black, sometimes with a pale box."""
    size = rgb.shape[0]
    rows, columns = grid(size)
    if rng.random() < 0.45:
        return rgb, np.ones((size, size), dtype=bool)
    power, reach = rng.uniform(2, 7), rng.uniform(0.85, 1.05)
    norm = (np.abs(rows) ** power + np.abs(columns) ** power) ** (1 / power)
    view = soft_step(reach - norm, 0.02)
    rgb = rgb * view[..., None] + 0.02
    if rng.random() < 0.3:
        height, width = rng.integers(size // 8, size // 3, 2)
        rgb[-height:, :width] = tone(rng, (0.3, 0.45), (0, 0.8), (0.1, 0.6))
        view[-height:, :width] = 0
    return rgb.astype(np.float32), view > 0.9


def skin(rng: Rng, size: int) -> Scene:
    """Skin from close by, with pores, lines, hairs, sometimes a ruler's marks or gel bubbles."""
    colour = tone(rng, (0.0, 0.09), (0.15, 0.6), (0.3, 0.95))
    relief = 0.5 * fractal(rng, size, int(rng.integers(8, 20)), 3, 0.7) + 0.5 * fractal(rng, size, 2, 3)
    rgb = (colour * (1 + rng.uniform(0.02, 0.07) * relief)[..., None]).astype(np.float32)
    if rng.random() < 0.4:
        count = int(rng.integers(3, 25))
        heading = rng.uniform(0, 6.3)
        hairs = []
        for _ in range(count):
            start, turn = tuple(rng.uniform(0, size, 2)), rng.normal(0, 0.4)
            hairs.append(walk(rng, start, heading + turn, size * rng.uniform(0.2, 0.7), 0.06))
        rgb = blend(rgb, rgb * rng.uniform(0.2, 0.6), strokes(size, hairs, list(rng.uniform(0.4, 1.3, count))))
    if rng.random() < 0.15:
        marks = np.sin(grid(size)[1] * rng.uniform(20, 60)) > 0.8
        rgb = np.where((marks & (grid(size)[0] > 0.85))[..., None], np.float32(0.1), rgb)
    noun = str(rng.choice(["skin", "skin image"]))
    return Scene(rgb, np.ones((size, size), dtype=bool), noun, "skin", rgb)


def scan(rng: Rng, size: int) -> Scene:
    """A grey slice: a bright rim around a mottled inside with mirrored dark cavities; or ribs over dark lungs."""
    rows, columns = grid(size)
    high, wide = rng.uniform(0.7, 0.98), rng.uniform(0.6, 0.9)
    oval = np.sqrt((rows / high) ** 2 + (columns / wide) ** 2) + 0.03 * lattice(rng, size, 4)
    inside = soft_step(1 - oval, 0.03)
    mirrored = fractal(rng, size, int(rng.integers(3, 9)), 3, 0.6)
    mirrored = 0.7 * (mirrored + mirrored[:, ::-1]) + 0.3 * fractal(rng, size, 6, 3)
    matter = rng.uniform(0.25, 0.6) + rng.uniform(0.01, 0.09) * mirrored
    rim = soft_step(rng.uniform(0.05, 0.16) - np.abs(oval - 0.93), 0.02) * rng.uniform(-0.2, 0.7)
    grey = ((matter + rim) * inside).astype(np.float32)
    for _ in range(int(rng.integers(1, 4))):
        row, column, length = rng.uniform(-0.4, 0.4), rng.uniform(0.04, 0.35), rng.uniform(0.08, 0.4)
        cavity = ((rows - row) / length) ** 2 + ((np.abs(columns) - column) / (length * rng.uniform(0.2, 0.9))) ** 2
        grey = (grey * (1 - rng.uniform(0.2, 0.9) * soft_step(1 - cavity, 0.3))).astype(np.float32)
    if rng.random() < 0.25:
        ribs = np.sin((rows + columns**2 * rng.uniform(0.2, 0.7)) * rng.uniform(12, 22))
        grey = (grey + 0.06 * ribs * inside).astype(np.float32)
    bend = rng.uniform(0, 2) * size / 128
    grey = displaced(grey, lattice(rng, size, 5) * bend, lattice(rng, size, 5) * bend)
    rgb = np.repeat(grey[..., None], 3, axis=2) + grain(rng, size, rng.uniform(0, 1))[..., None] * 0.015
    noun = str(rng.choice(["brain", "scan", "head scan", "chest", "x-ray image", "brain scan"]))
    return Scene(rgb.astype(np.float32), (oval < 0.8), noun, "scan", rgb.astype(np.float32), dull=True)


def echo(rng: Rng, size: int) -> Scene:
    """Ultrasound: layers of speckle in a sector, darker with depth."""
    rows, columns = grid(size)
    layers = lattice(rng, size, int(rng.integers(4, 12)), int(rng.integers(2, 4)))
    tissue_level = 0.35 + 0.2 * layers + 0.06 * fractal(rng, size, 4, 3)
    speckle = np.abs(grain(rng, size, (rng.uniform(0.4, 0.9), rng.uniform(0.8, 2.0))))
    grey = np.clip(tissue_level, 0.05, 1) * (0.45 + 0.55 * speckle) * (1 - 0.3 * rows * rng.uniform(0, 1))
    if rng.random() < 0.4:
        grey = grey * soft_step(rng.uniform(0.5, 0.8) * (rows + 1.5) - np.abs(columns), 0.02)
    rgb = np.repeat(grey[..., None], 3, axis=2).astype(np.float32)
    noun = str(rng.choice(["ultrasound", "ultrasound image", "thyroid", "breast"]))
    return Scene(rgb, grey > 0.03 * np.ones_like(grey), noun, "echo", rgb, dull=True)


def highlights(rng: Rng, size: int, region: np.ndarray) -> Field:
    """Wet or polished: small burnt-out patches, a few of them stretched. Normal, and never masked."""
    total = np.zeros((size, size), dtype=np.float32)
    anchor = rng.uniform(0, size, 2)
    for _ in range(int(rng.integers(1, 14))):
        centre = anchor + rng.normal(0, size * 0.25, 2)
        total = np.maximum(total, blob(rng, size, (centre[0], centre[1]), size * rng.uniform(0.006, 0.035), 0.8))
    return ndimage.gaussian_filter(total, rng.uniform(0.3, 1.0)) * region


def lump_depth(rng: Rng, size: int, centre: tuple[float, float], radius: float) -> Field:
    """How far inside a lump's outline, 0–1: 0 at the rim and outside, 1 in the middle."""
    depth = blob_depth(rng, size, centre, radius, rng.uniform(0.1, 0.5))
    return np.clip(depth / max(float(depth.max()), 1.0), 0, 1)
