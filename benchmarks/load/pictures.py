"""Pictures of a camera's size, and masks for them; another one each time."""

import io
import random

import numpy as np
from PIL import Image as Picture

WIDTH, HEIGHT = 640, 480


def photograph() -> bytes:
    """JPEG of noise."""
    return _encoded(Picture.effect_noise((WIDTH, HEIGHT), 40).convert("RGB"), "JPEG")


def mask() -> bytes:
    """PNG with one anomalous box."""
    pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
    top, left = random.randrange(HEIGHT - 60), random.randrange(WIDTH - 60)
    pixels[top : top + random.randint(5, 60), left : left + random.randint(5, 60)] = 255
    return _encoded(Picture.fromarray(pixels), "PNG")


def _encoded(picture: Picture.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()
