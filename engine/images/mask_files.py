"""Masks from files, one way for all: uploads, imports, data sets; and what to ask of one before it counts."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.errors import ImageError, NoMask
from engine.images.decoding import load_quietly, orientation_of, turned
from engine.images.marks import Bits, marked_in
from engine.images.opening import open_measured, readings
from engine.images.showing import encode

Mask = npt.NDArray[np.uint8]

_LOSSY = {"JPEG", "MPO", "WEBP", "AVIF", "JPEG2000"}
# Formats whose further pages are masks too; of others they are previews, layers or sizes.
_PAGED = {"TIFF", "GIF", "PNG", "WEBP"}
_MOST_PAGES = 64
# A mask that marks a larger share of its image is often one with black and white the other way round.
_MOST = 0.9
# How far the ratio of a mask's sides may be from the image's for it still to be the same picture at another size.
_RATIO_TOLERANCE = 0.05
_MAX_PIXELS = 400_000_000


@dataclass(frozen=True)
class Marked:
    """A mask, (h, w) uint8, 1 where anomalous; and what a person should know of how it was read."""

    pixels: Mask
    notes: tuple[str, ...] = ()


def _stored_upright() -> int:
    return 1


def decode_mask(data: bytes, *, width: int, height: int, orientation: Callable[[], int] = _stored_upright) -> Mask:
    """A mask of exactly the image's size: (height, width) uint8, 1 where anomalous. See `read_marks`.

    Raises:
        ImageError: not a mask, or of another size than the image.
    """
    return read_marks(data, width=width, height=height, orientation=orientation).pixels


def read_marks(
    data: bytes,
    *,
    width: int,
    height: int,
    orientation: Callable[[], int] = _stored_upright,
    other_size: bool = False,
) -> Marked:
    """What a mask file marks in an image of this size (see `marks`), upright; of several pages their union.

    Args:
        data: the file's bytes, in any format that Pillow reads.
        width: of the upright image, px.
        height: of the upright image, px.
        orientation: asked, where the size doesn't fit, for EXIF's of the image's file: a mask of the size of the
            stored picture is turned as the picture is.
        other_size: take a mask of another size too, where the ratio of its sides is the image's; it is not resized.

    Raises:
        ImageError: not an image, of another size, damaged, or a photograph.
    """
    first: Exception | None = None
    for reading in readings(data):
        image = open_measured(reading, max(_MAX_PIXELS, width * height), any_shape=True)
        own = _orientation_before_decoding(image)
        turn = own if _fits(image, own, width, height) else _other_turn(image, own, width, height, orientation)
        if turn is None:
            _check_ratio(image, own, width, height, other_size)
        try:
            pages, passed_over = _pages(image)
        except ImageError:
            raise
        except Exception as error:  # each format's decoder raises what it likes: AVIF's a RuntimeError
            first = first or error
            continue
        marked = np.logical_or.reduce(pages) if len(pages) > 1 else pages[0]
        upright = _upright(marked, own if turn is None else turn)
        notes = [f"The mask has {len(pages)} pages; what any of them marks is taken."] if len(pages) > 1 else []
        notes += [f"{passed_over} pages of other sizes are passed over."] if passed_over else []
        return Marked(upright.astype(np.uint8), tuple(notes))
    raise ImageError(f"The mask is damaged and can't be read ({first}). Save it anew as PNG.") from first


def is_photograph(data: bytes) -> bool:
    """Whether a file is a picture of too many shades for a mask; what can't be read is not known to be one."""
    try:
        _pages(open_measured(data, _MAX_PIXELS, any_shape=True))
    except NoMask:
        return True
    except Exception:  # whoever reads it says why it can't be
        return False
    return False


def doubt(area: int, pixels: int) -> str:
    """What to ask of a mask before it counts as a label; empty where nothing is odd about it.

    Args:
        area: how many pixels it marks.
        pixels: how many the image has.
    """
    if area == 0:
        return "The mask marks nothing, which says that the image is normal."
    if area > _MOST * pixels:
        return (
            f"The mask marks {100 * area / pixels:.1f} % of the image. Are black and white the other way round? "
            "White is anomalous."
        )
    return ""


def encode_mask(mask: Mask | npt.NDArray[np.bool_]) -> bytes:
    """A (height, width) mask as an 8-bit grey PNG of 0 and 255."""
    return encode(Image.fromarray(np.where(np.asarray(mask) != 0, 255, 0).astype(np.uint8)), "PNG")


def _orientation_before_decoding(image: Image.Image) -> int:
    # A TIFF is turned while it is decoded, and its size is said as it will be.
    return 1 if image.format == "TIFF" else orientation_of(image)


def _size(image: Image.Image, orientation: int) -> tuple[int, int]:
    return (image.width, image.height) if orientation < 5 else (image.height, image.width)


def _fits(image: Image.Image, orientation: int, width: int, height: int) -> bool:
    return _size(image, orientation) == (width, height)


def _other_turn(image: Image.Image, own: int, width: int, height: int, orientation: Callable[[], int]) -> int | None:
    """How the mask is turned where it is one of the picture as it is stored; None where it is not."""
    if not _fits(image, 5 if own < 5 else 1, width, height):
        return None
    return turn if (turn := orientation()) >= 5 and _fits(image, turn, width, height) else None


def _check_ratio(image: Image.Image, own: int, width: int, height: int, other_size: bool) -> None:
    own_width, own_height = _size(image, own)
    if not other_size:
        raise ImageError(
            f"The mask is {own_width}×{own_height} px and the image is {width}×{height} px. "
            "Save the mask at the image's own size."
        )
    ratio = own_width * height / (own_height * width)
    if not 1 - _RATIO_TOLERANCE < ratio < 1 + _RATIO_TOLERANCE:
        raise ImageError(
            f"The mask is {own_width}×{own_height} px and its image {width}×{height} px: they are not the same "
            "picture. Save the mask at the image's size."
        )


def _pages(image: Image.Image) -> tuple[list[Bits], int]:
    """What each page marks, and how many of another size were passed over."""
    pages, passed_over, size = [], 0, image.size
    for number in range(_page_count(image)):
        if number:
            image.seek(number)
            if image.size != size:
                passed_over += 1
                continue
        load_quietly(image)
        pages.append(marked_in(image, lossy=_is_lossy(image)))
    return pages, passed_over


def _page_count(image: Image.Image) -> int:
    count = getattr(image, "n_frames", 1) if image.format in _PAGED else 1
    if count > _MOST_PAGES:
        raise ImageError(f"The mask has {count} pages. Save what is anomalous as one page.")
    return count


def _is_lossy(image: Image.Image) -> bool:
    return image.format in _LOSSY or image.info.get("compression") in ("jpeg", "tiff_jpeg", "webp")


def _upright(marked: Bits, orientation: int) -> Bits:
    if orientation == 1:
        return marked
    return np.asarray(turned(Image.fromarray(marked.astype(np.uint8)), orientation)) > 0
