"""Decoding what people upload: bytes → an upright 8-bit PIL image, whatever it was.

Pictures of more than 8 bits are seen by one rule for a project, or for a run of the command line: see `depth`.
"""

import contextlib
import hashlib
import io
import struct
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageCms

from engine.errors import ImageError
from engine.images.deep import (
    colour_to_eight,
    grey_to_eight,
    is_deep_colour,
    is_deep_grey,
    is_grey_with_alpha,
    own_colour_rule,
    own_rule,
    read_other_way,
)
from engine.images.depth import DepthRule
from engine.images.opening import check_pixels, check_shape, open_measured, readings
from engine.images.pixel_room import PixelRoom

_ORIENTATION = 0x0112
# EXIF's orientation → what turns the stored picture upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MAX_PIXELS = 100_000_000
_MAX_BYTES = 64 * 1024 * 1024
# Modes that Pillow doesn't convert to others by itself, and those that are seen as another one.
_SEEN_AS = {"P": "RGB", "PA": "RGBA", "HSV": "RGB", "YCbCr": "RGB", "RGBX": "RGB", "La": "LA", "RGBa": "RGBA"}
_PROFILES = {"RGB": "RGB ", "RGBA": "RGB ", "L": "GRAY", "LA": "GRAY"}


def decode_image(
    data: bytes,
    *,
    max_pixels: int = _MAX_PIXELS,
    max_bytes: int = _MAX_BYTES,
    depth: DepthRule | None = None,
    room: PixelRoom | None = None,
) -> Image.Image:
    """Decode an upload: upright (by EXIF), 8 bits a channel, else in its own mode; palettes as colours.

    The mode is kept because the reference resizes in the file's own mode and converts to RGB afterwards.

    Args:
        data: the file's bytes, in any format that Pillow reads.
        max_pixels: largest width × height accepted, checked before pixels are decoded.
        max_bytes: largest file accepted.
        depth: how more than 8 bits are seen; None: as this image alone would have it.
        room: what is taken of it while pixels are decoded; None: nobody waits.

    Raises:
        ImageError: empty, too large, not an image, damaged, or of an impossible shape.
    """
    loaded = _load(data, max_pixels, max_bytes, room)
    return _plain(loaded.eight_bits(depth), loaded.orientation)


def upright_image(image: Image.Image, *, max_pixels: int = _MAX_PIXELS, depth: DepthRule | None = None) -> Image.Image:
    """A picture that somebody else opened, as `decode_image` gives it; theirs stays as it is.

    Args:
        image: any that Pillow has.
        max_pixels: largest width × height accepted.
        depth: how more than 8 bits are seen; None: as this image alone would have it.

    Raises:
        ImageError: too large, damaged, or of an impossible shape.
    """
    check_pixels(*image.size, max_pixels)
    check_shape(*image.size)
    orientation = orientation_of(image)
    try:
        own = image.copy()  # decodes it, where nobody has
    except Exception as error:  # as in decode_image
        raise ImageError(f"The image is damaged and can't be read to its end ({error}). Export it anew.") from error
    return _plain(grey_to_eight(own, depth) if is_deep_grey(own) else own, orientation)


def depth_set_by(data: bytes, *, max_pixels: int = _MAX_PIXELS, max_bytes: int = _MAX_BYTES) -> DepthRule | None:
    """The rule that this image sets where there is none yet; None where it has 8 bits, or one value only.

    Raises:
        ImageError: see `decode_image`.
    """
    return _load(data, max_pixels, max_bytes).own_rule() if is_deep(data) else None


def depth_set_by_image(image: Image.Image) -> DepthRule | None:
    """The same of a picture that somebody else opened. Raises ImageError where it holds no number."""
    return own_rule(image) if is_deep_grey(image) else None


def is_deep(data: bytes) -> bool:
    """Whether a file holds more than 8 bits a channel; what is no image doesn't. Only its header is read."""
    try:
        image = open_measured(data, 1 << 62, any_shape=True)
    except ImageError:
        return False
    return is_deep_grey(image) or is_deep_colour(image)


def stored_orientation(data: bytes) -> int:
    """EXIF's orientation of a file, 1 to 8; 1 where it says none, or nothing that can be read."""
    try:
        return orientation_of(open_measured(data, 1 << 62, any_shape=True))
    except ImageError:
        return 1


@dataclass(frozen=True)
class Decoder:
    """Decodes with limits and a rule for deep images, of the command line or of a program of one's own."""

    max_pixels: int = _MAX_PIXELS
    max_bytes: int = _MAX_BYTES
    depth: DepthRule | None = None

    def decode(self, data: bytes) -> Image.Image:
        """See `decode_image`."""
        return decode_image(data, max_pixels=self.max_pixels, max_bytes=self.max_bytes, depth=self.depth)

    def read(self, path: Path) -> Image.Image:
        """The image of a file. Raises OSError, ImageError."""
        return self.decode(path.read_bytes())

    def key(self, data: bytes) -> str:
        """Names the image as it is seen: sha256 of its bytes, and of the rule where it counts."""
        digest = hashlib.sha256(data)
        if is_deep(data):
            digest.update(str(self.depth).encode())
        return digest.hexdigest()

    def with_depth_of(self, paths: Iterable[Path]) -> "Decoder":
        """The same with the rule that the first of these files with more than 8 bits sets, so that all are seen alike.

        What can't be read sets nothing; that is said where it is to be decoded.
        """
        if self.depth is not None:
            return self
        for path in paths:
            if path.suffix.lower() in _NEVER_DEEP:
                continue
            with contextlib.suppress(OSError, ImageError):
                rule = depth_set_by(path.read_bytes(), max_pixels=self.max_pixels, max_bytes=self.max_bytes)
                if rule is not None:
                    return replace(self, depth=rule)
        return self


_NEVER_DEEP = {".jpg", ".jpeg", ".jfif", ".gif", ".bmp", ".webp"}


@dataclass(frozen=True)
class _Loaded:
    """A decoded picture, not yet turned; `lower`: its lower bytes, where it has several channels of 16 bits."""

    image: Image.Image
    orientation: int
    lower: Image.Image | None = None
    grey_alpha: bool = False

    def own_rule(self) -> DepthRule | None:
        if self.lower is not None:
            return own_colour_rule(self.image, self.lower, grey_alpha=self.grey_alpha)
        return own_rule(self.image) if is_deep_grey(self.image) else None

    def eight_bits(self, depth: DepthRule | None) -> Image.Image:
        if self.lower is not None:
            return colour_to_eight(self.image, self.lower, depth, grey_alpha=self.grey_alpha)
        return grey_to_eight(self.image, depth) if is_deep_grey(self.image) else self.image


def _load(data: bytes, max_pixels: int, max_bytes: int, room: PixelRoom | None = None) -> _Loaded:
    if not data:
        raise ImageError("The file is empty (0 bytes). Choose the image again, or export it anew.")
    if len(data) > max_bytes:
        raise ImageError(
            f"The file has {len(data) / 1e6:.1f} MB and the limit is {max_bytes / 1e6:.0f} MB. "
            "Save it smaller, or raise ANOMALYLOOP_MAX_UPLOAD_MB."
        )
    first: Exception | None = None
    for reading in readings(data):
        image = open_measured(reading, max_pixels)
        deep, grey_alpha = is_deep_colour(image), is_grey_with_alpha(image)
        try:
            lower = None
            with room.take(image.width * image.height) if room else contextlib.nullcontext():
                load_quietly(image)
                if deep:
                    lower = open_measured(reading, max_pixels)
                    read_other_way(lower)
                    load_quietly(lower)
        except Exception as error:  # each format's decoder raises what it likes: AVIF's a RuntimeError
            first = first or error
            continue
        return _Loaded(image, orientation_of(image, data), lower, grey_alpha)
    raise ImageError(f"The image is damaged and can't be read to its end ({first}). Export it anew.") from first


def load_quietly(image: Image.Image) -> None:
    """Decode a picture's pixels; raises whatever its decoder does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image.load()


def orientation_of(image: Image.Image, data: bytes = b"") -> int:
    """1 to 8. Odd metadata says 1, unless the bytes of EXIF themselves can be followed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # whatever is odd in it: text where bytes should be, offsets out of the file
        said = _orientation_in(image.info.get("exif") or data)
    return said if isinstance(said, int) and said in _TURNS else 1


def _orientation_in(exif: bytes) -> int:
    """The orientation in the first directory of EXIF's bytes; 1 where it is not there."""
    start = exif.find(b"Exif\0\0")
    exif = exif[start + 6 :] if start >= 0 else exif
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        return 1
    with contextlib.suppress(struct.error):
        at = int(struct.unpack_from(f"{order}I", exif, 4)[0])
        for entry in range(struct.unpack_from(f"{order}H", exif, at)[0]):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, at + 2 + 12 * entry)
            if tag == _ORIENTATION and kind == 3:
                return int(value)
    return 1


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """A stored picture, upright."""
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _plain(image: Image.Image, orientation: int) -> Image.Image:
    """Upright, in a mode that all others convert, and without metadata but a profile that fits."""
    profile = image.info.get("icc_profile")
    image = turned(as_colours(image), orientation)
    image.info = {}
    if isinstance(profile, bytes) and _fits(profile, image.mode):
        image.info["icc_profile"] = profile
    return image


def as_colours(image: Image.Image) -> Image.Image:
    """Palettes, Lab and the like as the colours that they stand for; everything else as it is."""
    if image.mode == "LAB":
        to_srgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        return ImageCms.applyTransform(image, to_srgb) or image
    return image.convert(_SEEN_AS[image.mode]) if image.mode in _SEEN_AS else image


def _fits(profile: bytes, mode: str) -> bool:
    try:
        return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space == _PROFILES.get(mode)
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return False
