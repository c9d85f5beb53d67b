"""Pictures of more than 8 bits a channel: how they are told, and how they are read to their last bit.

Pillow keeps 16 bits of grey, and of colours the upper 8 alone. The lower ones are had by reading the file a second time
as if its bytes were the other way round.
"""

import contextlib
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin

from engine.images.depth import DepthRule, rule_for, sample_of, strips

# The modes that PIL uses for more than 8 bits of grey.
_GREY_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N", "F")
# How a file's 16-bit colours are read → how they are read the other way round.
_OTHER_WAY = {
    **{f"{mode};16B": f"{mode};16L" for mode in ("RGB", "RGBA", "RGBX")},
    **{f"{mode};16L": f"{mode};16B" for mode in ("RGB", "RGBA", "RGBX")},
    # The machine's own: libtiff turned it.
    **{f"{mode};16N": f"{mode};16{'B' if sys.byteorder == 'little' else 'L'}" for mode in ("RGB", "RGBA", "RGBX")},
    "LA;16B": "RGBA",  # its four bytes as four channels: the upper and the lower one of grey, then of alpha
}
_NO_DATA = 42113  # GDAL's tag for the value that stands for "no data"
_LARGEST = 281  # TIFF's MaxSampleValue


def is_deep_grey(image: Image.Image) -> bool:
    """Whether a picture has one channel of more than 8 bits."""
    return image.mode in _GREY_MODES


def is_deep_colour(image: Image.Image) -> bool:
    """Whether a picture whose pixels are still to be decoded has several channels of 16 bits."""
    modes = _raw_modes(image)
    return bool(modes) and modes <= set(_OTHER_WAY)


def is_grey_with_alpha(image: Image.Image) -> bool:
    """Whether these several channels are grey and alpha, which Pillow reads as RGBA."""
    return _raw_modes(image) == {"LA;16B"}


def read_other_way(image: Image.Image) -> None:
    """Have the pixels, which are still to be decoded, read with their lower bytes in the place of the upper ones."""
    tiles: list[Any] = image.tile  # type: ignore[attr-defined]
    image.tile = [tile._replace(args=_replaced(tile.args)) for tile in tiles]  # type: ignore[attr-defined]


def _raw_modes(image: Image.Image) -> set[str]:
    tiles: list[Any] = getattr(image, "tile", None) or []
    if any(tile.codec_name not in ("zip", "raw", "libtiff") for tile in tiles):
        return set()
    modes = {tile.args if isinstance(tile.args, str) else (tile.args or ("",))[0] for tile in tiles}
    return {mode for mode in modes if isinstance(mode, str)}


def _replaced(args: Any) -> Any:
    return _OTHER_WAY[args] if isinstance(args, str) else (_OTHER_WAY[args[0]], *args[1:])


def grey_to_eight(image: Image.Image, rule: DepthRule | None) -> Image.Image:
    """8 bits of a decoded picture of one deep channel, by the rule, or else by the one that it would set itself."""
    rule = rule or own_rule(image) or DepthRule(0.0, 65535.0)
    eight = Image.new("L", image.size)
    inverted, top = _white_is_zero(image), 0
    for values in strips(image):
        grey = rule.grey(values)
        eight.paste(Image.fromarray(255 - grey if inverted else grey), (0, top))
        top += len(values)
    return eight


def own_rule(image: Image.Image) -> DepthRule | None:
    """The rule that a decoded picture of one deep channel would set; None where it is of one value."""
    rule = rule_for(sample_of(image), _tag(image, _NO_DATA))
    largest = _tag(image, _LARGEST)
    if rule is not None and rule.low == 0 and largest is not None and rule.high < largest < 65536:
        return DepthRule(0.0, largest)
    return rule


def _white_is_zero(image: Image.Image) -> bool:
    return _tag(image, TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 0


def _tag(image: Image.Image, tag: int) -> float | None:
    """A number that a TIFF states; None where it doesn't, or states it oddly."""
    with contextlib.suppress(ValueError, TypeError, IndexError, KeyError, SyntaxError):
        value = image.tag_v2[tag] if isinstance(image, TiffImagePlugin.TiffImageFile) else None
        value = value[0] if isinstance(value, tuple) else value
        return None if value is None else float(value)
    return None


def colour_to_eight(
    upper: Image.Image, lower: Image.Image, rule: DepthRule | None, *, grey_alpha: bool = False
) -> Image.Image:
    """8 bits of a 16-bit picture of several channels.

    Args:
        upper: decoded as Pillow does, with the upper bytes; the result takes its place.
        lower: decoded the other way round (see `read_other_way`).
        rule: as of the same values in grey; None: the one that the picture would set itself. Alpha is all 16 bits.
        grey_alpha: see `is_grey_with_alpha`.
    """
    rule = rule or own_colour_rule(upper, lower, grey_alpha=grey_alpha) or DepthRule(0.0, 65535.0)
    top = 0
    for high, low in zip(strips(upper), strips(lower), strict=True):
        eight = high.copy()
        eight[..., :3] = rule.grey(_sixteen(high, low, grey_alpha))
        upper.paste(Image.fromarray(eight, upper.mode), (0, top))
        top += len(eight)
    return upper


def own_colour_rule(upper: Image.Image, lower: Image.Image, *, grey_alpha: bool = False) -> DepthRule | None:
    """The rule that such a picture would set; None where it is of one value. See `colour_to_eight`."""
    shape = (-1, 1, len(upper.getbands()))
    high, low = sample_of(upper).reshape(shape), sample_of(lower).reshape(-1, 1, len(lower.getbands()))
    return rule_for(_sixteen(high, low, grey_alpha))


def _sixteen(high: npt.NDArray[Any], low: npt.NDArray[Any], grey_alpha: bool) -> npt.NDArray[np.uint16]:
    """(h, w, 3) values from their upper and lower bytes."""
    if grey_alpha:
        return (low[..., :1].astype(np.uint16) << 8 | low[..., 1:2]).repeat(3, axis=2)
    return high[..., :3].astype(np.uint16) << 8 | low[..., :3]
