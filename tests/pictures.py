"""Pictures that tests upload."""

import io

import numpy as np
from PIL import Image


def picture(seed: int = 0, *, width: int = 90, height: int = 70, mode: str = "RGB") -> Image.Image:
    """A noisy picture; another one for every seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


def encoded(image: Image.Image, image_format: str = "PNG", **options: object) -> bytes:
    """The picture as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def png(seed: int = 0, *, width: int = 90, height: int = 70) -> bytes:
    """A noisy picture as PNG."""
    return encoded(picture(seed, width=width, height=height))


def mask_png(width: int = 90, height: int = 70, *, box: tuple[int, int, int, int] | None = (10, 20, 30, 50)) -> bytes:
    """A mask with one anomalous box (left, top, right, bottom), or with none."""
    mask = np.zeros((height, width), dtype=np.uint8)
    if box is not None:
        left, top, right, bottom = box
        mask[top:bottom, left:right] = 255
    return encoded(Image.fromarray(mask))
