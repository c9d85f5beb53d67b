"""What an anomaly map is held against: two maps without text."""

import numpy as np
import torch
from PIL import Image
from scipy import ndimage
from torch.nn import functional as F

from engine.detector.maps import FloatMap
from engine.detector.scoring import SIGMA, patches_to_pixels
from engine.features.image_features import ImageFeatures
from engine.images.preprocessing import Size
from engine.images.shapes import Grid

_WINDOW = 9  # px of the model's input


def distance_from_median(features: ImageFeatures, size: Size) -> FloatMap:
    """(h, w): 1 − cosine between each patch and its image's median patch, mean over layers, smoothed as maps are."""
    patches = features.patch_features.float()
    median = F.normalize(patches.median(dim=1, keepdim=True).values, dim=-1)
    return _to_map((1 - (patches * median).sum(dim=-1)).mean(dim=0), features.grid, size)


def local_deviation(image: Image.Image, size: Size) -> FloatMap:
    """(h, w): standard deviation of grey values within a window, smoothed as maps are."""
    grey = np.asarray(image.convert("L").resize(size[::-1], Image.Resampling.BICUBIC), dtype=np.float32)
    mean = ndimage.uniform_filter(grey, _WINDOW)
    variance = ndimage.uniform_filter(grey**2, _WINDOW) - mean**2
    return ndimage.gaussian_filter(np.sqrt(np.maximum(variance, 0)), SIGMA)


def _to_map(patch_values: torch.Tensor, grid: Grid, size: Size) -> FloatMap:
    """(n,) of a grid → (h, w), upsampled and smoothed as anomaly maps are."""
    down, across = patches_to_pixels(grid.rows, size[0]), patches_to_pixels(grid.columns, size[1])
    return down @ patch_values.unflatten(0, grid).numpy() @ across.T
