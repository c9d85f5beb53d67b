"""Decoding what people upload: bytes → an upright 8-bit PIL image; masks both ways. Knows no torch.

16-bit rule: a 16-bit (or 32-bit integer, or float) picture is stretched linearly so that its own minimum becomes 0
and its own maximum 255, the same for every image; a constant picture becomes 0.
"""

import io
import warnings
from contextlib import nullcontext

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from engine.errors import ImageError
from engine.pixel_room import PixelRoom

# Below this, an image holds no texture to judge; above this ratio, resizing to what the model sees destroys it.
MIN_SIDE = 8
MAX_ASPECT = 50
# All that Pillow reads but EPS, which is a program: Pillow has Ghostscript run it.
Image.init()
_FORMATS = tuple(name for name in Image.ID if name != "EPS")
# The modes that PIL uses for more than 8 bits a channel.
_DEEP_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")


def decode_image(
    data: bytes,
    *,
    max_pixels: int = 100_000_000,
    max_bytes: int = 64 * 1024 * 1024,
    room: PixelRoom | None = None,
) -> Image.Image:
    """Decode an upload: upright (EXIF orientation applied), 8 bits a channel, otherwise in its own mode.

    The mode is kept because the reference resizes in the file's own mode and converts to RGB afterwards.

    Args:
        data: the file's bytes, in any format that Pillow reads.
        max_pixels: largest width × height accepted, checked before pixels are decoded.
        max_bytes: largest file accepted.
        room: what is taken of it while pixels are decoded; None: nobody waits.

    Raises:
        ImageError: empty, too large, not an image, damaged, or of an impossible shape.
    """
    if not data:
        raise ImageError("The file is empty (0 bytes). Choose the image again, or export it anew.")
    if len(data) > max_bytes:
        raise ImageError(
            f"The file has {len(data) / 1e6:.1f} MB and the limit is {max_bytes / 1e6:.0f} MB. "
            "Save it smaller, or raise ANOMALYLOOP_MAX_UPLOAD_MB."
        )
    image = _open(data)
    _check_shape(image.width, image.height, max_pixels)
    try:
        with room.take(image.width * image.height) if room else nullcontext(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.load()
            ImageOps.exif_transpose(image, in_place=True)  # else it would copy every picture
    except Exception as error:  # each format's decoder raises what it likes: AVIF's a RuntimeError
        raise ImageError(f"The image is damaged and can't be read to its end ({error}). Export it anew.") from error
    return _to_eight_bits(image)


def upright_image(image: Image.Image, *, max_pixels: int = 100_000_000) -> Image.Image:
    """An image that somebody else opened, as `decode_image` gives it; theirs stays as it is.

    Args:
        image: any that Pillow has.
        max_pixels: largest width × height accepted.

    Raises:
        ImageError: too large, damaged, or of an impossible shape.
    """
    _check_shape(image.width, image.height, max_pixels)
    try:
        turned = ImageOps.exif_transpose(image)
    except Exception as error:  # as in decode_image
        raise ImageError(f"The image is damaged and can't be read to its end ({error}). Export it anew.") from error
    return _to_eight_bits(turned)


def _open(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # The size is checked by _check_shape, with our own limit and message.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            return Image.open(io.BytesIO(data), formats=_FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageError(f"The image claims more pixels than can be accepted ({error}).") from error
    except UnidentifiedImageError as error:
        raise ImageError(
            "The file is not an image in a format that can be read. Use PNG, JPEG, TIFF, BMP or WebP."
        ) from error
    except Exception as error:  # as in decode_image
        raise ImageError(f"The image is damaged: its header can't be read ({error}). Export it anew.") from error


def _check_shape(width: int, height: int, max_pixels: int) -> None:
    size = f"The image is {width}×{height} px"
    if width * height > max_pixels:
        raise ImageError(
            f"{size}; the limit is {max_pixels:,} pixels. Save it smaller, or raise ANOMALYLOOP_MAX_PIXELS."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{size}; each side needs at least {MIN_SIDE} px for anything to be seen.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError(f"{size}; one side is over {MAX_ASPECT} times the other. Cut it into pieces first.")


def _to_eight_bits(image: Image.Image) -> Image.Image:
    if image.mode not in _DEEP_MODES:
        return image
    values = np.asarray(image, dtype=np.float64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if not np.isfinite([low, high]).all():
        raise ImageError("The image holds infinite or undefined values. Export it with finite ones.")
    scale = 255.0 / (high - low) if high > low else 0.0
    return Image.fromarray(np.rint((np.nan_to_num(values, nan=low) - low) * scale).astype(np.uint8))


def to_rgb(image: Image.Image) -> Image.Image:
    """The image as people see it: RGB; alpha is dropped, as the reference does."""
    return image if image.mode == "RGB" else image.convert("RGB")


def thumbnail(image: Image.Image, side: int = 256) -> bytes:
    """A JPEG whose longer side is at most `side` px."""
    small = to_rgb(image).copy()
    small.thumbnail((side, side))
    return _save(small, "JPEG", quality=85)


def display_image(image: Image.Image) -> bytes:
    """The upright RGB image at full size as PNG: any browser shows it, whatever was uploaded."""
    return _save(to_rgb(image), "PNG", compress_level=1)


def decode_mask(data: bytes, *, width: int, height: int) -> npt.NDArray[np.uint8]:
    """Decode a mask of exactly the image's size: (height, width) uint8, 1 where it was nonzero (anomalous).

    Colour masks count as nonzero where any colour channel is; alpha is not looked at.

    Raises:
        ImageError: not an image, or of another size than the image.
    """
    mask = _open(data)
    if mask.size != (width, height):
        raise ImageError(
            f"The mask is {mask.width}×{mask.height} px and the image is {width}×{height} px. "
            "Save the mask at the image's own size."
        )
    try:
        mask.load()
    except Exception as error:  # as in decode_image
        raise ImageError(f"The mask is damaged and can't be read ({error}). Save it anew as PNG.") from error
    if mask.mode in ("RGBA", "LA", "PA", "P", "CMYK"):
        mask = mask.convert("RGB")
    values = np.asarray(mask)
    nonzero = values != 0
    return (nonzero.any(axis=2) if nonzero.ndim == 3 else nonzero).astype(np.uint8)


def encode_mask(mask: npt.NDArray[np.uint8] | npt.NDArray[np.bool_]) -> bytes:
    """A (height, width) mask as an 8-bit grey PNG of 0 and 255."""
    return _save(Image.fromarray(np.where(np.asarray(mask) != 0, 255, 0).astype(np.uint8)), "PNG")


def _save(image: Image.Image, image_format: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()
