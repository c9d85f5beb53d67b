"""The ground truth's pixels: masks as data sets save them, lossy, with a palette, or smaller than the image."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.errors import ImageError

# How far the ratio of a mask's sides may be from the image's for it still to be the same picture at another size.
_RATIO_TOLERANCE = 0.05


def read_mask(path: Path, *, width: int, height: int) -> npt.NDArray[np.uint8]:
    """A mask at its own size: (h, w) uint8, 1 where anomalous.

    Nonzero is anomalous, in any colour channel; palettes count by their colours, alpha doesn't count. JPEG smears
    zeros, so there values over half of the largest are.

    Args:
        path: the mask's file.
        width: of the image.
        height: of the image; a mask of another size is accepted where the ratio of its sides is the image's.

    Raises:
        ImageError: it can't be read, or is the mask of a picture of another shape.
    """
    try:
        with Image.open(path) as picture:
            lossy = picture.format == "JPEG"
            upright = picture.convert("RGB") if picture.mode in ("P", "PA", "RGBA", "LA", "CMYK") else picture
            values = np.asarray(upright)
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(f"The mask {path} can't be read ({error}). Save it anew as PNG.") from error
    found_height, found_width = values.shape[:2]
    ratio = found_width * height / (found_height * width)
    if not 1 - _RATIO_TOLERANCE < ratio < 1 + _RATIO_TOLERANCE:
        raise ImageError(
            f"The mask {path} is {found_width}×{found_height} px and its image {width}×{height} px: they are not the "
            "same picture. Save the mask at the image's size."
        )
    marked = values > values.max() / 2 if lossy else values != 0
    return (marked.any(axis=2) if marked.ndim == 3 else marked).astype(np.uint8)
