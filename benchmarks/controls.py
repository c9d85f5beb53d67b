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
from engine.scoring import SIGMA, patches_to_pixels

_WINDOW = 9  # px of the model's input
_MOST_PATCHES = 40_000


def distance_from_median(features: ImageFeatures, size: int) -> FloatMap:
    """(s, s): 1 − cosine between each patch and its image's median patch, mean over layers, smoothed as maps are."""
    patches = features.patch_features.float()
    median = F.normalize(patches.median(dim=1, keepdim=True).values, dim=-1)
    return _to_map((1 - (patches * median).sum(dim=-1)).mean(dim=0), size)


def local_deviation(image: Image.Image, size: int) -> FloatMap:
    """(s, s): standard deviation of grey values within a window, smoothed as maps are."""
    grey = np.asarray(image.convert("L").resize((size, size), Image.Resampling.BICUBIC), dtype=np.float32)
    mean = ndimage.uniform_filter(grey, _WINDOW)
    variance = ndimage.uniform_filter(grey**2, _WINDOW) - mean**2
    return ndimage.gaussian_filter(np.sqrt(np.maximum(variance, 0)), SIGMA)


class LinearProbe:
    """Logistic regression on the patch features of all layers, classes balanced: the ceiling of what text can reach.

    Args:
        features: of n images.
        masks: their masks (s, s), 1 where anomalous. At least one patch must be anomalous.
        seed: which patches are learnt from, where there are too many.
    """

    def __init__(self, features: Sequence[ImageFeatures], masks: Sequence[torch.Tensor], seed: int) -> None:
        rows = np.concatenate([_rows(one) for one in features])
        side = round((len(rows) / len(features)) ** 0.5)
        shares = [F.adaptive_avg_pool2d(mask[None, None].float(), side).flatten() for mask in masks]
        labels = (torch.cat(shares) > 0).numpy()
        if len(rows) > _MOST_PATCHES:
            normal = np.flatnonzero(~labels)
            chosen = np.random.default_rng(seed).choice(normal, min(_MOST_PATCHES, len(normal)), replace=False)
            chosen = np.concatenate([chosen, np.flatnonzero(labels)])
            rows, labels = rows[chosen], labels[chosen]
        self._regression = LogisticRegression(class_weight="balanced", C=0.1, max_iter=200).fit(rows, labels)

    def anomaly_map(self, features: ImageFeatures, size: int) -> FloatMap:
        """(s, s), 0–1."""
        return _to_map(torch.from_numpy(self._regression.predict_proba(_rows(features))[:, 1]).float(), size)


def _rows(features: ImageFeatures) -> npt.NDArray[np.float32]:
    """(n, L · D): what all layers say of each patch."""
    return features.patch_features.float().transpose(0, 1).flatten(1).numpy()


def _to_map(patch_values: torch.Tensor, size: int) -> FloatMap:
    """(n,) of a square grid → (s, s), upsampled and smoothed as anomaly maps are."""
    side = round(len(patch_values) ** 0.5)
    along = patches_to_pixels(side, size)
    return along @ patch_values.view(side, side).numpy() @ along.T
