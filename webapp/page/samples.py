"""Three images to try the page with, drawn here: brushed metal with a scratch, cloth with a stain, a faultless tile."""

import io
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

SIDE = 512
Texture = npt.NDArray[np.float64]


@lru_cache(maxsize=1)
def sample_images() -> dict[str, bytes]:
    """File name → PNG, 512×512 px; the same bytes every time."""
    drawn = {
        "sample-metal-scratch.png": _scratched_metal(np.random.default_rng(1)),
        "sample-cloth-stain.png": _stained_cloth(np.random.default_rng(2)),
        "sample-tile-good.png": _good_tile(np.random.default_rng(3)),
    }
    return {name: _png(image) for name, image in drawn.items()}


def _scratched_metal(rng: np.random.Generator) -> Image.Image:
    grain = _blur(rng.normal(size=(SIDE, SIDE)), across=24)
    light = np.linspace(-12, 12, SIDE)[:, None]
    image = _tinted(158 + 34 * grain + light, (0.98, 1.0, 1.03))
    path = [(96.0, 388.0)]
    for _ in range(22):
        x, y = path[-1]
        path.append((x + rng.uniform(10, 15), y - rng.uniform(4, 11)))
    draw = ImageDraw.Draw(image)
    draw.line([(x + 1.5, y + 2) for x, y in path], fill=(84, 86, 92), width=4)
    draw.line(path, fill=(224, 228, 234), width=2)
    return image.filter(ImageFilter.GaussianBlur(0.6))


def _stained_cloth(rng: np.random.Generator) -> Image.Image:
    y, x = np.mgrid[:SIDE, :SIDE]
    warp, weft = np.sin(2 * np.pi * x / 8), np.sin(2 * np.pi * y / 8)
    over = ((x // 8 + y // 8) % 2).astype(float)
    weave = over * np.abs(warp) + (1 - over) * np.abs(weft)
    cloth = 118 + 46 * weave + 7 * _blur(rng.normal(size=(SIDE, SIDE)), across=2)
    angle = np.arctan2(y - 300, x - 330)
    edge = 62 + 9 * np.sin(3 * angle + 0.7) + 5 * np.sin(7 * angle)
    inside = 1 / (1 + np.exp((np.hypot(x - 330, y - 300) - edge) / 3))
    image = np.asarray(_tinted(cloth, (0.92, 1.0, 1.08)), dtype=float)
    stain = 1 - inside[..., None] * np.array([0.38, 0.50, 0.62])
    return Image.fromarray(np.clip(image * stain, 0, 255).astype(np.uint8))


def _good_tile(rng: np.random.Generator) -> Image.Image:
    speckle = _blur(_blur(rng.normal(size=(SIDE, SIDE)), across=3).T, across=3)
    clouds = _blur(_blur(rng.normal(size=(SIDE, SIDE)), across=70).T, across=70)
    return _tinted(184 + 9 * speckle + 7 * clouds, (1.03, 1.0, 0.94))


def _blur(noise: Texture, across: int) -> Texture:
    """Noise smoothed along its rows by a box of this many pixels, back to unit deviation."""
    kernel = np.ones(across) / across
    smooth = np.apply_along_axis(lambda row: np.convolve(row, kernel, mode="same"), 1, noise)
    return np.asarray(smooth / smooth.std())


def _tinted(grey: Texture, tint: tuple[float, float, float]) -> Image.Image:
    return Image.fromarray(np.clip(grey[..., None] * np.array(tint), 0, 255).astype(np.uint8))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
