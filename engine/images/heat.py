"""Heat colours: values of an anomaly map as colours, one way for overlays, reports and comparisons."""

import numpy as np
import numpy.typing as npt

from engine.detector.maps import FloatMap

# inferno's colours, from low to high: perceptually ordered, and safe for colour-blind eyes. The canvas has the same.
_STOPS = np.frombuffer(bytes.fromhex("000004160b39420a686a176e932667bc3754dd513af37819fca50af6d746fcffa4"), np.uint8)


def heat_colours(values: FloatMap) -> npt.NDArray[np.uint8]:
    """(h, w) values 0–1, others cut there → (h, w, 3)."""
    stops = _STOPS.reshape(-1, 3)
    at = np.clip(values, 0, 1)
    channels = [np.interp(at, np.linspace(0, 1, len(stops)), stops[:, channel]) for channel in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
