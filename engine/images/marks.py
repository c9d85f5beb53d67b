"""What is marked in a mask, in whatever way its tool writes it; and whether it is a mask at all.

One rule for all: what is unmarked is the darkest value (or the colour of the edge, where nothing is black), and what is
marked lies above the middle of the range. A lossless file of few values is a map of classes: there each class is marked
as a whole, and only what lies along the edge of another one is the blur of that edge.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from engine.errors import ImageError, NoMask
from engine.images.decoding import as_colours

Bits = npt.NDArray[np.bool_]
_Values = npt.NDArray[Any]
_Grey = npt.NDArray[np.uint8]

# A file of more values than this has no classes, but shades.
_CLASSES = 64
# Up to here they are classes however much of the picture they cover.
_FEW_CLASSES = 16
# Up to here whole numbers are numbers of classes: a mask that was blurred reaches further.
_CLASS_NUMBERS = 64
# A channel up to this is black: what JPEG makes of it.
_BLACK = 32
# A photograph has more than this share of its pixels away from both ends of its range; or half of that, and twice as
# many there as it has at its rarer end. A mask has only edges there.
_SHADES = 0.25
_NO_MASK = (
    "It is a photograph or a map of shades, and no mask: a mask has two values, or one for each kind of anomaly. "
    "Send the mask that belongs to it."
)


def marked_in(image: Image.Image, *, lossy: bool) -> Bits:
    """(h, w): True where a decoded picture marks something.

    Args:
        image: as its file has it, in any mode.
        lossy: whether its format smears values.

    Raises:
        NoMask: it is a photograph.
        ImageError: it holds no number.
    """
    if image.mode == "P":
        return _of_palette(image, lossy)
    image = image.convert("RGBA") if "transparency" in image.info and image.mode in ("1", "L", "RGB") else image
    image = as_colours(image)
    if image.mode in ("RGBA", "LA"):
        return _of_layer(image, lossy)
    if image.mode in ("RGB", "CMYK"):
        return _of_values(_distance(np.asarray(image.convert("RGB"))), lossy)
    values = np.asarray(image)
    return values if values.dtype == bool else _of_values(_numbers(values), lossy)


def _numbers(values: _Values) -> _Values:
    """Without NaN, which marks nothing; whole numbers that fit as bytes."""
    if values.dtype.kind == "f":
        known = np.isfinite(values)
        if not known.any():
            raise ImageError("The mask holds no number. Save it anew as PNG, 0 and 255.")
        values = np.where(known, values, min(float(values[known].min()), 0.0))
    if values.dtype != np.uint8 and values.min() >= 0 and values.max() <= 255 and (values == np.rint(values)).all():
        return values.astype(np.uint8)
    return values


def _of_palette(image: Image.Image, lossy: bool) -> Bits:
    """By colour, or by index where the colours don't tell what is unmarked."""
    if "transparency" in image.info:
        return marked_in(image.convert("RGBA"), lossy=lossy)
    used = [index for index, count in enumerate(image.histogram()) if count]
    colours = np.asarray((image.getpalette("RGB") or []) + 768 * [0], dtype=np.uint8)[:768].reshape(256, 3)
    black = [index for index in used if not colours[index].any()]
    no_black = len(used) <= _FEW_CLASSES and colours[used].max(axis=1).min() > _BLACK
    if 0 in used and len(used) > 1 and (no_black or len(black) > 1):
        return np.asarray(image) != 0
    return marked_in(image.convert("RGB"), lossy=lossy)


def _of_layer(image: Image.Image, lossy: bool) -> Bits:
    """Of a picture with alpha: the colours where they draw, else the alpha."""
    alpha = np.asarray(image.getchannel("A"))
    colours = np.asarray(image.convert("RGB") if image.mode == "RGBA" else image.getchannel("L"))
    bright = colours.max(axis=2) if colours.ndim == 3 else colours
    if alpha.min() == 255:
        return _of_values(_distance(colours) if colours.ndim == 3 else bright, lossy)
    seen = alpha > 0
    if not seen.any():
        return np.zeros(alpha.shape, dtype=bool)
    dark = bright <= _BLACK
    edge = _edge(np.where(seen, np.where(dark, 1, 2), 0))
    if (dark & seen).any() and (~dark & seen).any() and np.median(edge) == 1:
        # Black paper with something on it: what is seen of it over black.
        return _of_values((bright.astype(np.uint16) * alpha // 255).astype(np.uint8), lossy)
    return _of_values(alpha, lossy)


def _distance(colours: _Grey) -> _Grey:
    """(h, w, 3) → (h, w): how far a colour is from what is unmarked, in its farthest channel."""
    bright = colours.max(axis=2)
    if bright.min() <= _BLACK:
        return bright
    paper = np.median(_edge(colours), axis=0).astype(np.int16)
    far = np.abs(colours.astype(np.int16) - paper).max(axis=2).astype(np.uint8)
    return far if far.any() else bright


def _edge(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The values along the four sides."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def _of_values(values: _Values, lossy: bool) -> Bits:
    """What lies above the middle of the range; each class of a map of classes as a whole."""
    distinct = _distinct(values)
    low, high = distinct[0], distinct[-1]
    if len(distinct) == 1:
        return np.asarray(values != 0)
    if len(distinct) == 2 or (not lossy and values.dtype == np.uint8 and high <= _CLASS_NUMBERS):
        return np.asarray(values != low)
    middle = float(low) + (float(high) - float(low)) / 2
    marked = np.asarray(values > middle)
    if (lossy or len(distinct) > _FEW_CLASSES) and _has_shades(values, float(low), float(high)):
        raise NoMask(_NO_MASK)
    if not lossy and len(distinct) <= _CLASSES and not _is_noise(distinct):
        for one in distinct[1:]:
            if one <= middle and _is_class(values == one, marked, few=len(distinct) <= 8):
                marked |= values == one
    return marked


def _distinct(values: _Values) -> npt.NDArray[Any]:
    if values.dtype == np.uint8:
        return np.flatnonzero(Image.fromarray(values).histogram()).astype(np.uint8)
    return np.unique(values)


def _is_noise(distinct: npt.NDArray[Any]) -> bool:
    """Whether values cluster at both ends, as where a JPEG was saved as PNG."""
    share = (distinct[1:-1] - distinct[0]).astype(np.float64) / float(distinct[-1] - distinct[0])
    return bool((share < 0.1).any() and (share > 0.9).any())


def _is_class(plane: Bits, marked: Bits, *, few: bool) -> bool:
    """Whether a value is a class of its own, and not the blur along what is marked anyway."""
    beside = _grown(marked)
    alone = np.count_nonzero(plane & ~beside)
    if 2 * alone < np.count_nonzero(plane):
        return False
    return few or bool((~_grown(~plane)).any())


def _grown(bits: Bits) -> Bits:
    """With all pixels that touch one, at corners too."""
    return np.asarray(Image.fromarray(bits.astype(np.uint8)).filter(ImageFilter.MaxFilter(3))) > 0


def _has_shades(values: _Values, low: float, high: float) -> bool:
    eighth = (high - low) / 8
    below = np.count_nonzero(values < low + eighth) / values.size
    above = np.count_nonzero(values > high - eighth) / values.size
    between = 1 - below - above
    return bool(between > _SHADES or (between > _SHADES / 4 and between > 2 * min(below, above)))
