"""What callers of the library hand over, files, Pillow images or arrays, as the images and masks of the engine."""

import hashlib
import os
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.errors import ImageError
from engine.evaluation.datasets.truth import read_mask
from engine.images.decoding import decode_image, depth_set_by, depth_set_by_image, upright_image
from engine.images.depth import DepthRule

Array = npt.NDArray[np.generic]
Source = str | os.PathLike[str] | Image.Image | Array
# The modes whose values say more than the colours that they stand for.
_VALUED = ("1", "L", "I", "I;16", "I;16L", "I;16B", "I;16N", "F", "RGB")


def read_image(source: Source, *, max_pixels: int, depth: DepthRule | None = None) -> Image.Image:
    """An upright 8-bit image in its own mode.

    Args:
        source: a file's path; a Pillow image, which stays as it is; or an array: uint8 of (H, W), (H, W, 3) RGB or
            (H, W, 4) RGBA, or (H, W) of other numbers.
        max_pixels: largest width × height accepted.
        depth: which values of more than 8 bits are black and white; None: as this image alone would have it.

    Raises:
        OSError: the file can't be read.
        ImageError: it is no image, too large, damaged, or of an impossible shape.
    """
    if isinstance(source, Image.Image):
        return upright_image(source, max_pixels=max_pixels, depth=depth)
    if isinstance(source, np.ndarray):
        return upright_image(_picture(source), max_pixels=max_pixels, depth=depth)
    path = Path(source)
    try:
        return decode_image(path.read_bytes(), max_pixels=max_pixels, max_bytes=sys.maxsize, depth=depth)
    except ImageError as error:
        raise ImageError(f"{path}: {error}") from error


def depth_set_by_source(source: Source, *, max_pixels: int) -> DepthRule | None:
    """The rule that an image sets for those after it; None where it has 8 bits, or one value only.

    Raises:
        OSError: the file can't be read.
        ImageError: see `read_image`.
    """
    if isinstance(source, np.ndarray):
        source = _picture(source)
    if isinstance(source, Image.Image):
        return depth_set_by_image(source)
    return depth_set_by(Path(source).read_bytes(), max_pixels=max_pixels, max_bytes=sys.maxsize)


def read_marks(source: Source, *, width: int, height: int) -> npt.NDArray[np.uint8]:
    """A mask: (h, w) uint8, 1 where it was nonzero in any colour; alpha doesn't count.

    Args:
        source: a file's path, a Pillow image, or an array of (H, W) or (H, W, C), of any numbers or of booleans.
        width: of the image.
        height: of the image; a file may have another size where the ratio of its sides is the image's.

    Raises:
        ImageError: it can't be read, or is of another size or shape than the image.
    """
    if not isinstance(source, Image.Image | np.ndarray):
        return read_mask(Path(source), width=width, height=height)
    if isinstance(source, Image.Image):
        source = np.asarray(source if source.mode in _VALUED else source.convert("RGB"))
    if source.ndim not in (2, 3) or source.shape[:2] != (height, width):
        raise ImageError(
            f"A mask of shape {source.shape} does not lie on an image of {height} rows and {width} columns. "
            "Give it the image's own height and width."
        )
    marked = source != 0
    if marked.ndim == 3:
        colours = 3 if marked.shape[2] > 2 else 1  # what follows is alpha
        marked = marked[..., :colours].any(axis=2)
    return marked.astype(np.uint8)


def identity(source: Source, depth: DepthRule | None = None) -> str:
    """sha256 of a file's bytes, or of a picture's kind, size and values; and of the rule that they are seen by.

    Raises:
        OSError: the file can't be read.
    """
    named = _identity(source)
    return named if depth is None else hashlib.sha256(f"{named} {depth}".encode()).hexdigest()


def _identity(source: Source) -> str:
    if isinstance(source, Image.Image):
        return hashlib.sha256(f"{source.mode} {source.size} ".encode() + source.tobytes()).hexdigest()
    if isinstance(source, np.ndarray):
        return hashlib.sha256(f"{source.dtype} {source.shape} ".encode() + source.tobytes()).hexdigest()
    return hashlib.sha256(Path(source).read_bytes()).hexdigest()


def file_name(source: Source) -> str:
    """The name of a file, without its folder; "" for what came from no file."""
    return "" if isinstance(source, Image.Image | np.ndarray) else Path(source).name


def _picture(values: Array) -> Image.Image:
    """An array as a Pillow image. Raises ImageError."""
    if values.dtype == np.uint8 and (values.ndim == 2 or (values.ndim == 3 and values.shape[2] in (3, 4))):
        return Image.fromarray(values)
    if values.ndim == 2 and np.issubdtype(values.dtype, np.number) and not np.iscomplexobj(values):
        return Image.fromarray(values.astype(np.float32))
    raise ImageError(
        f"An array of shape {values.shape} and type {values.dtype} can't be used as an image. Give uint8 of (H, W), "
        "(H, W, 3) RGB or (H, W, 4) RGBA, such as (255 * image).round().astype('uint8') of values 0-1."
    )
