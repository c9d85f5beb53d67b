"""A file's bytes → a PIL image whose header was read and whose size was measured; its pixels are still to be decoded.

Metadata never costs an image: where a file can't be read with its text, EXIF or profile, it is read without them.
"""

import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImagePalette, UnidentifiedImageError

from engine.errors import ImageError
from engine.images.unknown import what_it_is

# Below this, an image holds no texture to judge; above this ratio, resizing to what the model sees destroys it.
MIN_SIDE = 8
MAX_ASPECT = 50
# All that Pillow reads but what hands its bytes on: EPS is a program that Pillow has Ghostscript run, IPTC and FPX
# hold other files that nobody measures, and of the others Pillow reads no pixels by itself.
Image.init()
_NEVER = {"EPS", "IPTC", "FPX", "MIC", "WMF", "BUFR", "GRIB", "HDF5", "MPEG"}
_FORMATS = tuple(name for name in Image.ID if name not in _NEVER)
# Pillow refuses twice this number at 179 megapixels whatever the settings say. Every image is measured here instead,
# with the limit that is set, before one of its pixels is decoded.
Image.MAX_IMAGE_PIXELS = None
# Chunks of a PNG that its pixels need.
_PNG_PIXELS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_PNG_START = b"\x89PNG\r\n\x1a\n"


def open_measured(data: bytes, max_pixels: int, *, any_shape: bool = False) -> Image.Image:
    """Read the header and measure: of containers, what they hold too.

    Args:
        data: the file's bytes.
        max_pixels: largest width × height accepted.
        any_shape: take pictures that are tiny or very long too.

    Raises:
        ImageError: no image, a damaged header, or of an impossible shape.
    """
    for width, height in _sizes_within(data):  # Pillow decodes what is in some of them as it opens them
        check_pixels(width, height, max_pixels)
    image = _open(data)
    _mend_bitmap(image, data)
    _mend_pixmap(image)
    check_pixels(*image.size, max_pixels)
    if not any_shape:
        check_shape(image.width, image.height)
    return image


def readings(data: bytes) -> Iterator[bytes]:
    """The file, and then the same without what its pixels don't need, for when it can't be read as it is."""
    yield data
    bare = without_metadata(data)
    if bare != data:
        yield bare


def _open(data: bytes) -> Image.Image:
    first: Exception | None = None
    for reading in readings(data):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return Image.open(io.BytesIO(reading), formats=_FORMATS)
        except Exception as error:  # each format's reader raises what it likes: AVIF's a RuntimeError
            first = first or error
    if isinstance(first, UnidentifiedImageError):
        raise ImageError(what_it_is(data)) from first
    raise ImageError(f"The image is damaged: its header can't be read ({first}). Export it anew.") from first


def _mend_bitmap(image: Image.Image, data: bytes) -> None:
    """A BMP of 8 or 4 bits with a palette of black and white: Pillow reads its bytes as if each held eight pixels."""
    if image.format != "BMP" or image.mode != "1" or len(data) < 30:
        return
    raw_mode = {8: "P", 4: "P;4"}.get(struct.unpack_from("<H", data, 28)[0])
    if raw_mode is not None:
        tiles: list[Any] = image.tile  # type: ignore[attr-defined]
        image.tile = [tile._replace(args=(raw_mode, *tile.args[1:])) for tile in tiles]  # type: ignore[attr-defined]
        image._mode = "P"
        image.palette = ImagePalette.raw("BGRX", b"\0\0\0\0\xff\xff\xff\0")


def _mend_pixmap(image: Image.Image) -> None:
    """A PPM of 16 bits, of which Pillow keeps 8: read as plain bytes, the others can be had too (see `deep`)."""
    tiles: list[Any] = getattr(image, "tile", None) or []
    if image.format == "PPM" and [(tile.codec_name, tile.args) for tile in tiles] == [("ppm", ("RGB", 65535))]:
        plain = tiles[0]._replace(codec_name="raw", args=("RGB;16B", 0, 1))
        image.tile = [plain]  # type: ignore[attr-defined]


def check_pixels(width: int, height: int, max_pixels: int) -> None:
    """Raises ImageError where there are more pixels than that."""
    if width * height > max_pixels:
        raise ImageError(
            f"The image is {width}×{height} px; the limit is {max_pixels:,} pixels. Save it smaller, or raise "
            "ANOMALYLOOP_MAX_PIXELS."
        )


def check_shape(width: int, height: int) -> None:
    """Raises ImageError where nothing could be seen of an image of this size."""
    size = f"The image is {width}×{height} px"
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{size}; each side needs at least {MIN_SIDE} px for anything to be seen.")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError(f"{size}; one side is over {MAX_ASPECT} times the other. Cut it into pieces first.")


def _sizes_within(data: bytes) -> Iterator[tuple[int, int]]:
    """Width and height of the pictures in a container, which may be larger than what its directory says."""
    icon = data.startswith((b"\0\0\1\0", b"\0\0\2\0"))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        yield _size_of_webp(data[12:30])
    if not icon and not data.startswith(b"icns"):
        return
    for found in re.finditer(rb"\x89PNG\r\n\x1a\n.{4}IHDR(.{8})|ihdr(.{8})", data, re.DOTALL):
        if found[1] is not None:
            yield struct.unpack(">II", found[1])
        else:  # JPEG 2000 names the height first
            height, width = struct.unpack(">II", found[2])
            yield width, height
    if icon:  # a bitmap within has its own header, of 40 bytes, and its mask below it
        for found in re.finditer(rb"\x28\x00\x00\x00(.{8})\x01\x00", data, re.DOTALL):
            width, height = struct.unpack("<ii", found[1])
            yield abs(width), abs(height) // 2


def _size_of_webp(chunk: bytes) -> tuple[int, int]:
    """Of the canvas, for which memory is taken as the file is opened; (0, 0) where the header is cut off."""
    if len(chunk) < 18:
        return 0, 0
    if chunk[:4] == b"VP8X":
        return 1 + int.from_bytes(chunk[12:15], "little"), 1 + int.from_bytes(chunk[15:18], "little")
    if chunk[:4] == b"VP8L":
        bits = int.from_bytes(chunk[9:13], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", chunk[14:18])
    return width & 0x3FFF, height & 0x3FFF


def without_metadata(data: bytes) -> bytes:
    """A PNG or JPEG with nothing but what its pixels need; anything else, and what can't be followed, as it is."""
    if data.startswith(_PNG_START):
        return _bare_png(data)
    if data.startswith(b"\xff\xd8"):
        return _bare_jpeg(data)
    return data


def _bare_png(data: bytes) -> bytes:
    kept, at = [_PNG_START], len(_PNG_START)
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + length
        if end > len(data):
            return b"".join([*kept, data[at:]])  # cut off: so that the decoder says so
        sound = zlib.crc32(data[at + 4 : end - 4]) == struct.unpack(">I", data[end - 4 : end])[0]
        if kind in _PNG_PIXELS or (kind == b"eXIf" and sound):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _bare_jpeg(data: bytes) -> bytes:
    kept, at = [b"\xff\xd8"], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if marker == 0xDA:  # the pixels begin
            break
        # Of the application segments, JFIF's says nothing that counts, and Adobe's which colours these are.
        if not (0xE0 <= marker <= 0xEF or marker == 0xFE) or marker == 0xEE:
            kept.append(data[at : at + 2 + length])
        at += 2 + length
    return b"".join([*kept, data[at:]])
