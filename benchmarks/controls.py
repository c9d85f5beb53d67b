"""What an anomaly map is held against: two maps without text, and the best linear reading of the same features."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from scipy import ndimage
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F

from engine.features import ImageFeatures
from engine.maps import FloatMap
from engine.preprocess import Size
from engine.scoring import SIGMA, patches_to_pixels
from engine.shapes import Grid

_WINDOW = 9  # px of the model's input
_MOST_PATCHES = 40_000


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


class LinearProbe:
    """Logistic regression on the patch features of all layers, classes balanced: the ceiling of what text can reach.

    Args:
        features: of n images.
        masks: their masks (h, w), 1 where anomalous. At least one patch must be anomalous.
        seed: which patches are learnt from, where there are too many.
    """

    def __init__(self, features: Sequence[ImageFeatures], masks: Sequence[torch.Tensor], seed: int) -> None:
        rows = np.concatenate([_rows(one) for one in features])
        shares = [
            F.adaptive_avg_pool2d(mask[None, None].float(), one.grid).flatten()
            for one, mask in zip(features, masks, strict=True)
        ]
        labels = (torch.cat(shares) > 0).numpy()
        if len(rows) > _MOST_PATCHES:
            normal = np.flatnonzero(~labels)
            chosen = np.random.default_rng(seed).choice(normal, min(_MOST_PATCHES, len(normal)), replace=False)
            chosen = np.concatenate([chosen, np.flatnonzero(labels)])
            rows, labels = rows[chosen], labels[chosen]
        self._regression = LogisticRegression(class_weight="balanced", C=0.1, max_iter=200).fit(rows, labels)

    def anomaly_map(self, features: ImageFeatures, size: Size) -> FloatMap:
        """(h, w), 0–1."""
        values = torch.from_numpy(self._regression.predict_proba(_rows(features))[:, 1]).float()
        return _to_map(values, features.grid, size)


def _rows(features: ImageFeatures) -> npt.NDArray[np.float32]:
    """(n, L · D): what all layers say of each patch."""
    return features.patch_features.float().transpose(0, 1).flatten(1).numpy()


def _to_map(patch_values: torch.Tensor, grid: Grid, size: Size) -> FloatMap:
    """(n,) of a grid → (h, w), upsampled and smoothed as anomaly maps are."""
    down, across = patches_to_pixels(grid.rows, size[0]), patches_to_pixels(grid.columns, size[1])
    return down @ patch_values.unflatten(0, grid).numpy() @ across.T
