"""A picture of one image and of the maps that two versions make of it."""

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture
from PIL import ImageChops, ImageFilter

from engine.detector.maps import FloatMap
from engine.images.heat import heat_colours
from engine.images.showing import to_rgb

HEIGHT = 200
_WIDEST = 400
_AZURE = (0, 190, 255)


def side_by_side(picture: Picture.Image, mask: npt.NDArray[np.uint8] | None, maps: Sequence[FloatMap]) -> bytes:
    """A JPEG: the image with the outline of its mask, then each map over the image, all maps on one scale.

    Args:
        picture: the image.
        mask: (H, W), nonzero = anomalous; None: the image is normal.
        maps: (s, s) each.
    """
    width = min(_WIDEST, max(1, round(HEIGHT * picture.width / picture.height)))
    small = to_rgb(picture).resize((width, HEIGHT))
    low, high = min(float(one.min()) for one in maps), max(float(one.max()) for one in maps)
    panels = [_outlined(small, mask), *(_under_map(small, one, low, high) for one in maps)]
    strip = Picture.new("RGB", (width * len(panels) + 4 * (len(panels) - 1), HEIGHT), (128, 128, 128))
    for number, panel in enumerate(panels):
        strip.paste(panel, ((width + 4) * number, 0))
    buffer = io.BytesIO()
    strip.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def _outlined(small: Picture.Image, mask: npt.NDArray[np.uint8] | None) -> Picture.Image:
    if mask is None:
        return small
    inside = Picture.fromarray(np.where(mask != 0, 255, 0).astype(np.uint8)).resize(small.size)
    inside = inside.point(lambda value: 255 if value > 0 else 0)  # however thin the defect is
    edge = ImageChops.difference(inside.filter(ImageFilter.MaxFilter(7)), inside)
    return Picture.composite(Picture.new("RGB", small.size, _AZURE), small, edge)


def _under_map(small: Picture.Image, anomaly_map: FloatMap, low: float, high: float) -> Picture.Image:
    share = (anomaly_map - low) / ((high - low) or 1.0)
    resized = np.asarray(Picture.fromarray(share.astype(np.float32)).resize(small.size, Picture.Resampling.BILINEAR))
    return Picture.blend(small, Picture.fromarray(heat_colours(resized)), 0.6)
