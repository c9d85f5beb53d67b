"""A picture of one image and of the maps that two versions make of it."""

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture
from PIL import ImageChops, ImageFilter

from engine.detector.maps import FloatMap
from engine.images.showing import to_rgb

HEIGHT = 200
_WIDEST = 400
# Inferno, as the canvas shows maps: perceptually ordered and safe for colour-blind eyes.
_INFERNO = np.array(
    [
        (0, 0, 4), (22, 11, 57), (66, 10, 104), (106, 23, 110), (147, 38, 103), (188, 55, 84), (221, 81, 58),
        (243, 120, 25), (252, 165, 10), (246, 215, 70), (252, 255, 164),
    ]
)  # fmt: skip
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
    steps = np.linspace(0, 1, len(_INFERNO))
    colours = np.stack([np.interp(resized, steps, _INFERNO[:, channel]) for channel in range(3)], axis=-1)
    return Picture.blend(small, Picture.fromarray(colours.astype(np.uint8)), 0.6)
