"""Features × text features → anomaly score and anomaly map (paper, section 3.4)."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional as F

from engine.maps import FloatMap

TEMPERATURE = 0.07
SIGMA = 4.0  # pixels of the model's input


def probabilities(features: Tensor, text_features: Tensor) -> Tensor:
    """P(normal), P(anomalous): softmax of cosine / 0.07.

    Args:
        features: (…, D), not normalised.
        text_features: (2, D), unit length, order normal, anomalous.

    Returns:
        (…, 2), rows adding to 1.
    """
    return (F.normalize(features, dim=-1) @ text_features.T / TEMPERATURE).softmax(dim=-1)


def patch_probabilities(patch_features: Tensor, text_features: Tensor) -> Tensor:
    """(B, 1 + n, D), class token first → (B, n, 2): the class token has no place in the map."""
    return probabilities(patch_features[:, 1:], text_features)


def to_grid(patch_values: Tensor) -> Tensor:
    """(B, n, C) of a square patch grid → (B, C, √n, √n)."""
    side = round(patch_values.shape[1] ** 0.5)
    return patch_values.transpose(1, 2).unflatten(2, (side, side))


def upsample(grid: Tensor, image_size: int) -> Tensor:
    """(B, C, h, w) → (B, C, s, s), bilinear, corners not aligned."""
    return F.interpolate(grid, size=(image_size, image_size), mode="bilinear", align_corners=False)


def raw_anomaly_map(layer_probabilities: Sequence[Tensor], image_size: int) -> Tensor:
    """Σ over layers of ½(1 − S_n) + ½S_a, before the filter.

    Upsampling is linear, so the layers are added on the patch grid and upsampled once.

    Args:
        layer_probabilities: one (B, n, 2) a layer.
        image_size: side s of the map in pixels.

    Returns:
        (B, s, s), values from 0 to the number of layers.
    """
    total = torch.stack([(p[..., 1:] + 1 - p[..., :1]) / 2 for p in layer_probabilities]).sum(dim=0)
    return upsample(to_grid(total), image_size)[:, 0]


def smooth(maps: Tensor, sigma: float = SIGMA) -> FloatMap:
    """G_σ: each (s, s) map of a batch filtered by SciPy's Gaussian, edges reflected. Returns float32 (B, s, s)."""
    values = maps.detach().float().cpu().numpy()
    return np.stack([gaussian_filter(one, sigma=sigma) for one in values])
