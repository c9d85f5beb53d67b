"""What is wrong in living things: lumps, bleeding, pale and dark patches, masses. Same returns as in `marks`."""

import numpy as np
from scipy import ndimage

from engine.pretrain.drawing.bodies import lump_depth
from engine.pretrain.drawing.fields import Rng, fractal, grain, soft_step, standard
from engine.pretrain.drawing.marks import Change, spread
from engine.pretrain.drawing.palette import blend, tone
from engine.pretrain.drawing.scene import Scene
from engine.pretrain.drawing.shapes import blob_depth

_INFLAMED = np.array([0.1, 0.8, 0.8], dtype=np.float32)  # what inflammation takes from red, green and blue


def polyp(rng: Rng, scene: Scene) -> Change:
    """A lump that bulges from the tissue: domed shading, a crease around it, its own colour and grain, a wet spot."""
    size, centre = scene.size, scene.somewhere(rng)
    radius = spread(rng, 0.06, 0.36) * size
    depth = blob_depth(rng, size, centre, radius, rng.uniform(0.1, 0.6))
    inside = soft_step(depth, rng.uniform(0.8, 3.0))
    rise = np.clip(depth / max(float(depth.max()), 1.0), 0, 1)
    height = np.sqrt(np.clip(rise * (2 - rise), 0, 1))
    down, right = np.gradient(ndimage.gaussian_filter(height, 1.0) * radius)
    light = rng.uniform(0, 2 * np.pi)
    lit = rng.uniform(0.5, 0.8) + rng.uniform(0.2, 0.5) * height
    lit = lit + rng.uniform(0, 0.25) * np.clip(down * np.sin(light) + right * np.cos(light), -1, 1)
    around = scene.rgb[inside > 0.5].mean(axis=0) if (inside > 0.5).any() else scene.rgb.mean(axis=(0, 1))
    colour = around * (1 + rng.normal(0, 0.12, 3)) * rng.uniform(1.0, 1.5)
    grains = 1 + rng.uniform(0.0, 0.15) * fractal(rng, size, int(rng.integers(6, 24)), 3, 0.7)
    kept = rng.uniform(0.0, 0.5)
    body = (colour * (1 - kept) + ndimage.gaussian_filter(scene.rgb, (2, 2, 0)) * kept) * (lit * grains)[..., None]
    crease = np.exp(-((depth + 1.5) ** 2) / (2 * rng.uniform(1.0, 3.0) ** 2)) * rng.uniform(0.1, 0.5)
    side = 0.5 + 0.5 * np.clip(down * np.cos(light) - right * np.sin(light), -1, 1)
    rgb = scene.rgb * (1 - (crease * side * soft_step(depth + 4, 2.0))[..., None])
    rgb = blend(rgb, body.astype(np.float32), inside)
    return rgb, np.maximum(inside, soft_step(depth + 1.0, 0.8))


def bleeding(rng: Rng, scene: Scene) -> Change:
    """Blood or inflamed red, in a patch or in streaks."""
    size, centre = scene.size, scene.somewhere(rng)
    depth = blob_depth(rng, size, centre, spread(rng, 0.05, 0.3) * size, 0.9) + 3 * fractal(rng, size, 6, 3)
    coverage = soft_step(depth, rng.uniform(0.8, 4.0))
    red = tone(rng, (-0.03, 0.02), (0.75, 1.0), (0.25, 0.7))
    strength = coverage * rng.uniform(0.5, 0.95)
    return blend(scene.rgb, red * (0.5 + scene.rgb.mean(axis=2, keepdims=True)), strength), coverage


def pale_patch(rng: Rng, scene: Scene) -> Change:
    """An ulcer, a coating, a scar: paler or yellowish, with an inflamed rim."""
    size, centre = scene.size, scene.somewhere(rng)
    depth = blob_depth(rng, size, centre, spread(rng, 0.05, 0.25) * size, 0.7)
    coverage = soft_step(depth, rng.uniform(0.8, 2.5))
    pale = tone(rng, (0.05, 0.17), (0.0, 0.45), (0.7, 1.0)) * (1 + 0.1 * fractal(rng, size, 8, 3))[..., None]
    rim = np.exp(-(depth**2) / 8) * rng.uniform(0, 0.4)
    shaded = pale * (0.4 + scene.rgb.mean(axis=2, keepdims=True))
    rgb = blend(scene.rgb, shaded, coverage * rng.uniform(0.5, 0.9)) * (1 - rim[..., None] * _INFLAMED)
    return blend(scene.rgb, rgb, np.clip(coverage * 1.5, 0, 1)), coverage


def mole(rng: Rng, scene: Scene) -> Change:
    """A pigmented lesion: brown to black or red, mottled, its border sharp or fading."""
    size, centre = scene.size, scene.somewhere(rng)
    ragged = rng.uniform(0, 3) * fractal(rng, size, 5, 3)
    depth = blob_depth(rng, size, centre, spread(rng, 0.06, 0.36) * size, 0.8) + ragged
    coverage = soft_step(depth, spread(rng, 1.0, 6.0))
    colour = tone(rng, (-0.02, 0.09), (0.3, 0.9), (0.1, 0.65))
    mottled = np.clip(rng.uniform(0.45, 0.9) + 0.2 * fractal(rng, size, 5, 4, 0.6), 0.2, 1)
    return blend(scene.rgb, colour * (0.4 + scene.rgb), coverage * mottled), coverage


def mass(rng: Rng, scene: Scene) -> Change:
    """A brighter or darker region in a scan, even or mottled: a bleed, a tumour, a nodule, a clouded lung."""
    size, centre = scene.size, scene.somewhere(rng)
    depth = blob_depth(rng, size, centre, spread(rng, 0.04, 0.25) * size, rng.uniform(0.2, 0.9))
    coverage = soft_step(depth, spread(rng, 0.8, 5.0)) * scene.region
    level = float(scene.rgb[coverage > 0.5].mean()) if (coverage > 0.5).any() else float(scene.rgb.mean())
    by = rng.choice([-1, 1]) * rng.uniform(0.12, 0.4)
    by = -by if not 0.03 < level + by < 0.97 else by
    if scene.family == "echo" and level > 0.25:
        by = -abs(by) if rng.random() < 0.75 else by
    inside = level + by * (1 + 0.25 * fractal(rng, size, 6, 3)) + 0.25 * (scene.rgb.mean(axis=2) - level)
    if scene.family == "echo":
        inside = inside * (0.6 + 0.4 * np.abs(standard(grain(rng, size, 0.8))))
    return blend(scene.rgb, np.repeat(inside[..., None], 3, axis=2).astype(np.float32), coverage), coverage


def lump(rng: Rng, scene: Scene) -> Change:
    """A smooth swelling seen only by its shading."""
    size, centre = scene.size, scene.somewhere(rng)
    rise = lump_depth(rng, size, centre, spread(rng, 0.08, 0.3) * size)
    height = ndimage.gaussian_filter(np.sqrt(np.clip(rise * (2 - rise), 0, 1)), 1.2)
    down, right = np.gradient(height)
    light = rng.uniform(0, 2 * np.pi)
    slope = down * np.sin(light) + right * np.cos(light)
    slope = slope / (np.abs(slope).max() + 1e-6)
    gain = 1 + rng.uniform(0.05, 0.25) * height + rng.uniform(0.1, 0.35) * slope
    coverage = soft_step(height - 0.15, 0.12)
    return blend(scene.rgb, (scene.rgb * gain[..., None]).astype(np.float32), np.clip(coverage * 2, 0, 1)), coverage
