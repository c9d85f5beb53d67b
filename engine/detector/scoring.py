"""Features × text features → anomaly score and anomaly map (paper, section 3.4)."""

from functools import lru_cache

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor
from torch.nn import functional as F

from engine.detector.maps import FloatMap
from engine.images.shapes import Grid, square

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


def anomaly_maps(
    layer_probabilities: Tensor, size: int | tuple[int, int], sigma: float = SIGMA, *, grid: Grid | None = None
) -> Tensor:
    """G_σ(Σ over layers of ½(1 − S_n) + ½S_a): from the patch grid to filtered maps in two small matrix products.

    Upsampling and filter are linear, and the same along rows and columns: with A and B the two of them down and across,
    the map is A · grid · Bᵀ.

    Args:
        layer_probabilities: (L, B, n, 2), P(normal) and P(anomalous) of each layer's patches.
        size: (h, w) of the maps in pixels, or the side of square ones.
        sigma: of the Gaussian filter in pixels of the map; 0: no filter.
        grid: of the n patches; None: a square.

    Returns:
        (B, h, w) float32, values from 0 to the number of layers.
    """
    values = ((layer_probabilities[..., 1:] + 1 - layer_probabilities[..., :1]) / 2).sum(dim=0)
    grid = grid or square(round(values.shape[1] ** 0.5))
    height, width = (size, size) if isinstance(size, int) else size
    grids = values[..., 0].unflatten(-1, grid)
    down, across = (
        torch.from_numpy(patches_to_pixels(patches, pixels, sigma)).to(grids.device)
        for patches, pixels in ((grid.rows, height), (grid.columns, width))
    )
    return down @ grids @ across.T


@lru_cache(maxsize=64)
def patches_to_pixels(patches: int, pixels: int, sigma: float = SIGMA) -> FloatMap:
    """(pixels, patches): along one side, bilinear upsampling and then SciPy's Gaussian filter, edges reflected."""
    columns = F.interpolate(torch.eye(patches, dtype=torch.float64)[:, None], size=pixels, mode="linear")[
        :, 0
    ].T.numpy()
    filtered = gaussian_filter1d(columns, sigma, axis=0) if sigma else columns
    return filtered.astype(np.float32)
