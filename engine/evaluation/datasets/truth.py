"""The ground truth: the masks of an image, as data sets save them, lossy, with a palette, or smaller than it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.errors import ImageError
from engine.evaluation.datasets.item import LabelledImage
from engine.images.decoding import stored_orientation
from engine.images.mask_files import read_marks

_Mask = npt.NDArray[np.uint8]


def read_truth(one: LabelledImage, *, width: int, height: int) -> _Mask:
    """What the masks of an image mark together, as `read_mask`; nothing where it has none. Raises ImageError."""
    if not one.masks:
        return np.zeros((height, width), dtype=np.uint8)
    return read_mask(one.masks, width=width, height=height, image=one.image)


def read_mask(path: Path | Sequence[Path], *, width: int, height: int, image: Path | None = None) -> _Mask:
    """A mask at its own size, or the union of several: (h, w) uint8, 1 where anomalous (see `engine.images.marks`).

    Args:
        path: the mask's file, or several.
        width: of the image.
        height: of the image; a mask of another size is accepted where the ratio of its sides is the image's.
        image: the image's file: a mask of the size of its stored picture is turned as EXIF turns the image.

    Raises:
        ImageError: it can't be read, is no mask, or is one of a picture of another shape.
    """
    paths = [path] if isinstance(path, Path) else path
    union = _read(paths[0], width, height, image)
    for further in paths[1:]:
        union = union | _resized(_read(further, width, height, image), union.shape)
    return union


def _read(path: Path, width: int, height: int, image: Path | None) -> _Mask:
    try:
        return read_marks(
            path.read_bytes(),
            width=width,
            height=height,
            orientation=lambda: stored_orientation(image.read_bytes()) if image else 1,
            other_size=True,
        ).pixels
    except (OSError, ImageError) as error:
        raise ImageError(f"The mask {path} can't be read: {error}") from error


def _resized(mask: _Mask, shape: tuple[int, ...]) -> _Mask:
    if mask.shape == shape:
        return mask
    return np.asarray(Image.fromarray(mask).resize((shape[1], shape[0]), Image.Resampling.NEAREST))
