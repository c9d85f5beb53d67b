"""From a scene to a photograph: lamp, gloss, shadow, viewpoint, focus, sensor, JPEG. Masks follow the viewpoint."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from engine.pretrain.drawing.bodies import highlights
from engine.pretrain.drawing.fields import Field, Rng, displaced, grid, lattice, soft_step
from engine.pretrain.drawing.palette import Picture
from engine.pretrain.drawing.scene import Scene

Pixels = npt.NDArray[np.uint8]
_LUMINANCE = np.array([0.3, 0.59, 0.11], dtype=np.float32)


def photograph(rng: Rng, scene: Scene, rgb: Picture, labels: Pixels) -> tuple[Pixels, Pixels]:
    """The scene's changed picture `rgb` (s, s, 3) as (s, s, 3) uint8, and `labels` (s, s) as seen from there."""
    lit = rgb if scene.dull else _lit(rng, scene, rgb)
    lit = _exposed(rng, lit)
    if rng.random() < 0.12:
        lit = np.repeat((lit @ _LUMINANCE)[..., None], 3, axis=2)
    pixels = (np.clip(lit, 0, 1) * 255).astype(np.uint8)
    if rng.random() < 0.5:
        pixels, labels = _seen_from(rng, pixels, labels)
    if rng.random() < 0.12:
        labels, pixels = _lens(rng, labels, pixels)
    return _sensed(rng, pixels), labels


def _lit(rng: Rng, scene: Scene, rgb: Picture) -> Picture:
    size = scene.size
    rows, columns = grid(size)
    heading = rng.uniform(0, 2 * np.pi)
    light = 1 + rng.uniform(0, 0.3) * (np.sin(heading) * rows + np.cos(heading) * columns)
    if rng.random() < 0.35:
        row, column = rng.uniform(-1, 1, 2)
        falloff = np.clip(np.hypot(rows - row, columns - column) - 0.3, 0, 1.5) / 1.5
        light = light * (1 - rng.uniform(0.1, 0.5) * falloff)
    if rng.random() < 0.2:
        light = light * _shadow(rng, size)
    lit = rgb * light[..., None]
    if scene.family == "tissue" or rng.random() < 0.12:
        if rng.random() < 0.8:
            lit = lit + highlights(rng, size, scene.region)[..., None] * rng.uniform(0.2, 0.9)
    elif rng.random() < 0.2:
        lit = lit + _reflection(rng, size)[..., None]
    return lit.astype(np.float32)


def _shadow(rng: Rng, size: int) -> Field:
    """A straight soft edge between light and shade, or leaf-like shade."""
    rows, columns = grid(size)
    heading = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.6:
        edge = np.sin(heading) * rows + np.cos(heading) * columns + rng.uniform(-0.7, 0.7)
    else:
        edge = lattice(rng, size, 4)
    return 1 - rng.uniform(0.1, 0.45) * soft_step(edge, rng.uniform(0.04, 0.4))


def _reflection(rng: Rng, size: int) -> Field:
    """A broad glossy band or patch, brighter and always soft."""
    rows, columns = grid(size)
    heading = rng.uniform(0, 2 * np.pi)
    across = np.sin(heading) * rows + np.cos(heading) * columns + rng.uniform(-0.8, 0.8) + 0.15 * lattice(rng, size, 3)
    along = np.cos(heading) * rows - np.sin(heading) * columns + rng.uniform(-0.8, 0.8)
    band = np.exp(-((across / rng.uniform(0.1, 0.4)) ** 2))
    return (band * (np.exp(-(along**2)) if rng.random() < 0.5 else 1.0) * rng.uniform(0.05, 0.4)).astype(np.float32)


def _exposed(rng: Rng, rgb: Picture) -> Picture:
    """Contrast, brightness, gamma and white balance of the camera."""
    clipped = np.clip(rgb, 0, 1.3)
    middle = float(clipped.mean())
    exposed = (clipped - middle) * spread_contrast(rng) + middle + rng.normal(0, 0.04)
    return np.clip(exposed, 0, 1).astype(np.float32) ** np.float32(np.exp(rng.normal(0, 0.2)))


def spread_contrast(rng: Rng) -> float:
    """A contrast factor, mostly near 1."""
    return float(np.exp(rng.normal(0, 0.2)))


def _seen_from(rng: Rng, pixels: Pixels, labels: Pixels) -> tuple[Pixels, Pixels]:
    """A closer, tilted, squeezed or turned view; the corners stay within the picture."""
    size = pixels.shape[0]
    inner = rng.uniform(0, 0.28, 2)
    corners = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], dtype=float)
    start = rng.uniform(0, 1, 2) * inner
    corners = start + corners * (1 - inner) + rng.uniform(-0.06, 0.06, (4, 2))
    corners = np.clip(corners, 0, 1) * size
    quad = [float(v) for corner in corners for v in corner]  # (column, row) of NW, SW, SE, NE
    view = (size, size)
    seen = Image.fromarray(pixels).transform(view, Image.Transform.QUAD, quad, Image.Resampling.BILINEAR)
    where = Image.fromarray(labels).transform(view, Image.Transform.QUAD, quad, Image.Resampling.NEAREST)
    return np.asarray(seen), np.asarray(where)


def _lens(rng: Rng, labels: Pixels, pixels: Pixels) -> tuple[Pixels, Pixels]:
    """Uneven ground: a smooth bending of the whole picture."""
    size, bend = labels.shape[0], rng.uniform(1, 5) * labels.shape[0] / 128
    down, right = lattice(rng, size, 3) * bend, lattice(rng, size, 3) * bend
    rows, columns = np.mgrid[0:size, 0:size]
    near = labels[np.clip(np.rint(rows + down), 0, size - 1).astype(int),
                  np.clip(np.rint(columns + right), 0, size - 1).astype(int)]  # fmt: skip
    return near, displaced(pixels.astype(np.float32), down, right).astype(np.uint8)


def _sensed(rng: Rng, pixels: Pixels) -> Pixels:
    """Focus, a resize on the way, noise, JPEG."""
    size = pixels.shape[0]
    if rng.random() < 0.25:
        pixels = ndimage.gaussian_filter(pixels, (*[rng.uniform(0.3, 1.1)] * 2, 0))
    if rng.random() < 0.15:
        small = int(size * rng.uniform(0.5, 0.9))
        picture = Image.fromarray(pixels).resize((small, small), Image.Resampling.BILINEAR)
        pixels = np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC))
    if rng.random() < 0.5:
        channels = 1 if rng.random() < 0.5 else 3
        noise = rng.standard_normal((size, size, channels), dtype=np.float32) * rng.uniform(1, 9)
        pixels = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=int(rng.integers(35, 92)))
        pixels = np.asarray(Image.open(buffer))
    return pixels
