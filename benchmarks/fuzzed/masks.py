"""Masks whose true pixels are known, written in the ways of many tools."""

import io
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, PngImagePlugin

SIDE = 96
Truth = npt.NDArray[np.bool_]


def drawn(rng: Random) -> Truth:
    """(96, 96): a few shapes, from 200 pixels to half of the picture."""
    while True:
        image = Image.new("1", (SIDE, SIDE))
        pen = ImageDraw.Draw(image)
        for _ in range(rng.randint(1, 3)):
            left, top = rng.randrange(SIDE - 30), rng.randrange(SIDE - 30)
            box = (left, top, left + rng.randint(12, 30), top + rng.randint(12, 30))
            (pen.rectangle if rng.random() < 0.7 else pen.ellipse)(box, fill=1)
        truth = np.asarray(image)
        if 200 <= np.count_nonzero(truth) <= SIDE * SIDE // 2:
            return truth


def written(truth: Truth, rng: Random) -> tuple[bytes, bool]:
    """The mask as a file of one of the ways, and whether its format smears values."""
    way = rng.choice(_LOSSLESS if rng.random() < 0.8 else _LOSSY)
    image, kind, options = way(truth, rng)
    return _saved(image, kind, **options), way in _LOSSY


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


Written = tuple[Image.Image, str, dict[str, Any]]


def _colours(truth: Truth, inside: tuple[int, ...], outside: tuple[int, ...], mode: str) -> Image.Image:
    pixels = np.where(truth[..., None], np.array(inside, np.uint8), np.array(outside, np.uint8))
    return Image.fromarray(pixels, mode)


def _grey(truth: Truth, rng: Random) -> Written:
    value = rng.choice((1, 2, 7, 64, 127, 128, 200, 254, 255))
    kind = rng.choice(("PNG", "TIFF", "BMP", "GIF", "PPM"))
    return Image.fromarray(truth.astype(np.uint8) * np.uint8(value)), kind, {}


def _bits(truth: Truth, rng: Random) -> Written:
    return Image.fromarray(truth), rng.choice(("PNG", "TIFF", "BMP", "PPM")), {}


def _deep(truth: Truth, rng: Random) -> Written:
    return Image.fromarray(truth.astype(np.uint16) * np.uint16(rng.choice((1, 255, 4095, 65535)))), "PNG", {}


def _floats(truth: Truth, rng: Random) -> Written:
    outside = rng.choice((0.0, -1.0, float("nan")))
    return Image.fromarray(np.where(truth, 1.0, outside).astype(np.float32)), "TIFF", {}


def _coloured(truth: Truth, rng: Random) -> Written:
    inside = rng.choice(((255, 0, 0), (0, 0, 64), (255, 255, 255), (0, 200, 90)))
    return _colours(truth, inside, (0, 0, 0), "RGB"), rng.choice(("PNG", "TIFF", "BMP")), {}


def _layer(truth: Truth, rng: Random) -> Written:
    inside, outside = rng.choice(
        (
            ((0, 0, 0, 255), (0, 0, 0, 0)),
            ((0, 0, 0, 255), (255, 255, 255, 0)),
            ((255, 255, 255, 255), (0, 0, 0, 0)),
            ((255, 255, 255, 255), (255, 255, 255, 0)),
            ((255, 0, 0, 128), (255, 0, 0, 0)),
            ((255, 255, 255, 255), (0, 0, 0, 255)),
        )
    )
    return _colours(truth, inside, outside, "RGBA"), rng.choice(("PNG", "TIFF")), {}


def _palette(truth: Truth, rng: Random) -> Written:
    image = Image.fromarray(truth.astype(np.uint8), "P")
    image.putpalette(rng.choice(([0, 0, 0, 128, 0, 0], [0] * 6, [0, 0, 0, 255, 255, 255])))
    return image, rng.choice(("PNG", "TIFF", "BMP")), {}


def _with_metadata(truth: Truth, rng: Random) -> Written:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * rng.choice((1, 100, 2_000_000)), zip=True)
    info.add_itxt(
        "XML:com.adobe.xmp", rng.choice(("hello", "<tiff:Orientation>77", "\udc80".encode("utf-8", "replace").decode()))
    )
    return Image.fromarray(truth.astype(np.uint8) * np.uint8(255)), "PNG", {"pnginfo": info}


def _pages(truth: Truth, rng: Random) -> Written:
    empty, full = Image.new("L", (SIDE, SIDE)), Image.fromarray(truth.astype(np.uint8) * np.uint8(255))
    pages = rng.choice(((empty, full), (full, empty), (full, full)))
    return pages[0], "TIFF", {"save_all": True, "append_images": [pages[1]]}


def _jpeg(truth: Truth, rng: Random) -> Written:
    image = Image.fromarray(truth.astype(np.uint8) * np.uint8(255))
    return image, "JPEG", {"quality": rng.choice((75, 85, 95))}


def _webp(truth: Truth, rng: Random) -> Written:
    return Image.fromarray(truth.astype(np.uint8) * np.uint8(255)).convert("RGB"), "WEBP", {"quality": 90}


_LOSSLESS = (_grey, _bits, _deep, _floats, _coloured, _layer, _palette, _with_metadata, _pages)
_LOSSY = (_jpeg, _webp)
