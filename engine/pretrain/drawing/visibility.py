"""Whether an eye would see a change: only what it sees is called a defect."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from engine.pretrain.drawing.fields import Bits, Field

# Least difference of tone or roughness, 0–1; to it comes a share of the roughness nearby, for busy ground hides more.
_LEAST, _ON_BUSY_GROUND = 0.03, 0.35
_LOOK, _NEAR = 0.7, 7  # px: blur of a look, window of a roughness
_GREY = np.full(3, 1 / 3, dtype=np.float32)


def visible(before: npt.NDArray[np.floating], after: npt.NDArray[np.floating]) -> Bits:
    """(s, s): where `after` differs visibly from `before`, both (s, s, 3) and 0–1, in tone or in roughness."""
    before, after = np.clip(before, 0, 1), np.clip(after, 0, 1)
    red, green, blue = np.moveaxis(np.abs(after - before), 2, 0)
    tone = ndimage.gaussian_filter(np.maximum(np.maximum(red, green), blue), _LOOK)
    rough_before = _roughness(before)
    threshold = _LEAST + _ON_BUSY_GROUND * ndimage.uniform_filter(rough_before, before.shape[0] // 6)
    return np.maximum(tone, np.abs(_roughness(after) - rough_before)) > threshold


def _roughness(picture: npt.NDArray[np.floating]) -> Field:
    """Standard deviation of the grey values around each pixel."""
    grey = picture @ _GREY
    mean = ndimage.uniform_filter(grey, _NEAR)
    return np.sqrt(np.maximum(ndimage.uniform_filter(grey**2, _NEAR) - mean**2, 0)).astype(np.float32)
