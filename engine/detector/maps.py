"""Anomaly maps outside torch: stored as bytes, resized to the image, written as PNG."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

FloatMap = npt.NDArray[np.float32]


def resize_map(anomaly_map: FloatMap, height: int, width: int) -> FloatMap:
    """Bring a (h, w) map to (height, width) by bilinear interpolation; downsampling averages, so no peak is skipped."""
    if anomaly_map.shape == (height, width):
        return anomaly_map.astype(np.float32, copy=False)
    resized = Image.fromarray(anomaly_map.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized, dtype=np.float32)


def map_to_npy(anomaly_map: FloatMap) -> bytes:
    """The map as the bytes of a float32 `.npy` file."""
    buffer = io.BytesIO()
    np.save(buffer, anomaly_map.astype(np.float32), allow_pickle=False)
    return buffer.getvalue()


def map_from_npy(data: bytes) -> FloatMap:
    """The float32 map of a `.npy` file's bytes. Raises ValueError on anything else; pickles are never read."""
    return np.load(io.BytesIO(data), allow_pickle=False).astype(np.float32, copy=False)


def map_to_png16(anomaly_map: FloatMap) -> bytes:
    """A map of values 0–1 as a 16-bit grey PNG (0–65,535)."""
    values = np.rint(np.clip(anomaly_map, 0.0, 1.0) * 65535).astype(np.uint16)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG")
    return buffer.getvalue()


def map_uncertainty(anomaly_map: FloatMap) -> float:
    """How unsure a map is of itself, 0–1: 4 m (1 − m), the variance of a pixel's label against its largest.

    The mean is over the hundredth of the pixels with the highest values m: there it is decided what is anomalous, and
    the rest of an image would drown it. 0: those pixels are surely normal, or surely anomalous; 1: nobody can tell.

    Args:
        anomaly_map: (h, w), 0–1.
    """
    values = anomaly_map.ravel().astype(np.float64)
    count = max(1, values.size // 100)
    highest = np.clip(np.partition(values, -count)[-count:], 0.0, 1.0)
    return float(np.mean(4 * highest * (1 - highest)))
