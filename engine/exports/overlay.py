"""An image with its anomaly map over it in colour, as the page shows it."""

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.detector.maps import FloatMap
from engine.images.showing import to_rgb

# inferno's colours, from low to high: perceptually ordered, and safe for colour-blind eyes.
_STOPS = "000004160b39420a686a176e932667bc3754dd513af37819fca50af6d746fcffa4"
_OPACITY = 0.55


def heat_colours(values: FloatMap) -> npt.NDArray[np.uint8]:
    """(h, w) values 0–1 → (h, w, 4): inferno's colours, and an alpha that lets the image through where they are low."""
    stops = np.frombuffer(bytes.fromhex(_STOPS), np.uint8).reshape(-1, 3)
    at = np.clip(values, 0, 1)
    channels = [np.interp(at, np.linspace(0, 1, len(stops)), stops[:, channel]) for channel in range(3)]
    alpha = 255 * np.minimum(1, 0.25 + 1.5 * at)
    return np.rint(np.stack([*channels, alpha], axis=-1)).astype(np.uint8)


def overlay(image: Image.Image, anomaly_map: FloatMap, map_threshold: float) -> Image.Image:
    """The image (RGB, its own size) under its map's colours.

    Args:
        image: upright.
        anomaly_map: (height, width) of the image's size, 0–1.
        map_threshold: the hottest colour stands for this value at least, so that an image without anomalies stays cool.
    """
    highest = max(float(anomaly_map.max()), map_threshold) or 1.0
    heat = Image.fromarray(heat_colours(anomaly_map / highest))
    alpha = heat.getchannel("A").point(lambda value: round(value * _OPACITY))
    return Image.composite(heat.convert("RGB"), to_rgb(image), alpha)
