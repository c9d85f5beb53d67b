"""Pictures for people: RGB, thumbnails, and what a browser shows as it was uploaded."""

import io

from PIL import Image

from engine.images.decoding import orientation_of
from engine.images.deep import is_deep_colour
from engine.images.opening import open_measured


def to_rgb(image: Image.Image) -> Image.Image:
    """The image as people see it: RGB; alpha is dropped, as the reference does."""
    if image.mode == "RGB":
        return image
    colours = image.convert("RGB")
    if image.mode not in ("RGBA", "RGB"):  # a profile of grey or of inks says nothing of these
        colours.info = {}
    return colours


# What every browser shows as the model sees it; all else is decoded and sent as PNG.
_SHOWN_AS_IT_IS = {("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGB"), ("PNG", "L")}


def shown_as_it_is(data: bytes) -> str:
    """The media type of a file that every browser shows as the model sees it; empty where it must be decoded first.

    Args:
        data: an upload that was taken in.
    """
    image = open_measured(data, 1 << 62, any_shape=True)
    upright = orientation_of(image, data) == 1
    plain = (image.format, image.mode) in _SHOWN_AS_IT_IS and not is_deep_colour(image)
    return f"image/{str(image.format).lower()}" if plain and upright and "transparency" not in image.info else ""


def thumbnail(image: Image.Image, side: int = 256) -> bytes:
    """A JPEG whose longer side is at most `side` px."""
    small = to_rgb(image).copy()
    small.thumbnail((side, side))
    return encode(small, "JPEG", quality=85)


def display_image(image: Image.Image) -> bytes:
    """The upright RGB image at full size as PNG: any browser shows it, whatever was uploaded."""
    return encode(to_rgb(image), "PNG", compress_level=1)


def encode(image: Image.Image, image_format: str, **options: int) -> bytes:
    """A picture as a file's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()
