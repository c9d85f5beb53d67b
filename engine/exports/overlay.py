"""An image with its anomaly map over it in colour, as the page shows it."""

import numpy as np
from PIL import Image

from engine.detector.maps import FloatMap
from engine.images.heat import heat_colours
from engine.images.showing import to_rgb

_OPACITY = 0.55


def overlay(image: Image.Image, anomaly_map: FloatMap, map_threshold: float) -> Image.Image:
    """The image (RGB, its own size) under its map's colours.

    Args:
        image: upright.
        anomaly_map: (height, width) of the image's size, 0–1.
        map_threshold: the hottest colour stands for this value at least, so that an image without anomalies stays cool.
    """
    highest = max(float(anomaly_map.max()), map_threshold) or 1.0
    values = np.clip(anomaly_map / highest, 0, 1)
    # The image is let through where the map is low.
    alpha = np.rint(255 * _OPACITY * np.minimum(1, 0.25 + 1.5 * values)).astype(np.uint8)
    return Image.composite(Image.fromarray(heat_colours(values)), to_rgb(image), Image.fromarray(alpha))
