"""What else can be learnt from the same corrections: a linear probe on patch features, and a memory of normal patches.

Both are what a learnt detector is held against (`evaluate --method detector`); neither is part of it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F

from engine.detector.detector import Scored
from engine.detector.image_head import TOP_SHARE
from engine.detector.maps import FloatMap
from engine.detector.memory import memory_patches
from engine.detector.scoring import patches_to_pixels
from engine.errors import EngineError
from engine.features.image_features import ImageFeatures
from engine.learning.corrections import Correction
from engine.learning.views import find_views

_MOST_PATCHES = 40_000
_PATCH_PIXELS = 8  # pixels of a map on a side of a patch
_FARTHEST = 2.0  # cosine distance


class LinearProbe:
    """Logistic regression on the patch features of all layers, classes balanced: the ceiling of what text can reach.

    Args:
        corrections: at least one that shows a normal, and one that shows an anomalous patch.
        seed: which normal patches are learnt from, where there are too many.

    Raises:
        EngineError: there are no such corrections.
    """

    def __init__(self, corrections: Sequence[Correction], seed: int) -> None:
        known = [one for one in corrections if one.marked is not None]
        shares = [F.adaptive_avg_pool2d(_shares(one)[None], one.features.grid).flatten() for one in known]
        labels = torch.cat([torch.empty(0), *shares]).numpy() > 0
        if labels.all() or not labels.any():  # also of none at all
            raise EngineError("A linear probe needs normal and anomalous patches, and the corrections show one kind.")
        rows = np.concatenate([_rows(one.features) for one in known])
        normal, anomalous = np.flatnonzero(~labels), np.flatnonzero(labels)
        if len(normal) > _MOST_PATCHES:
            normal = np.random.default_rng(seed).choice(normal, _MOST_PATCHES, replace=False)
        chosen = np.concatenate([normal, anomalous])
        self._regression = LogisticRegression(class_weight="balanced", C=0.1, max_iter=200)
        self._regression.fit(rows[chosen], labels[chosen])

    def score(self, features: ImageFeatures) -> Scored:
        """Score and map, 0–1, of an image."""
        values = self._regression.predict_proba(_rows(features))[:, 1].astype(np.float32)
        return _scored(_to_map(values.reshape(features.grid)))


class NormalMemory:
    """The distance of each texture patch to the nearest one that was called normal.

    Args:
        corrections: at least one that shows normal patches.
        seed: which patches are kept.

    Raises:
        EngineError: there is no such correction.
    """

    def __init__(self, corrections: Sequence[Correction], seed: int) -> None:
        memory = find_views(corrections, seed).memory
        if not len(memory.normal):
            raise EngineError("A memory of normal patches needs corrections that show some.")
        self._memory = replace(memory, normal_from=(), anomalous_from=())

    def score(self, features: ImageFeatures) -> Scored:
        """Score and map, 0–1, of an image."""
        distances = self._memory.distances(*memory_patches(features))[0].clamp(0, _FARTHEST) / _FARTHEST
        return _scored(_to_map(distances.numpy()))


def _shares(correction: Correction) -> torch.Tensor:
    assert correction.marked is not None
    return correction.marked


def _rows(features: ImageFeatures) -> npt.NDArray[np.float32]:
    """(n, L · D): what all layers say of each patch."""
    return features.patch_features.float().transpose(0, 1).flatten(1).numpy()


def _to_map(values: npt.NDArray[np.float32]) -> FloatMap:
    """(rows, columns) → (h, w), upsampled and smoothed as anomaly maps are."""
    down, across = (patches_to_pixels(count, _PATCH_PIXELS * count) for count in values.shape)
    return (down @ values @ across.T).astype(np.float32, copy=False)


def _scored(anomaly_map: FloatMap) -> Scored:
    """With the mean of the map's highest values as the image's score."""
    values = anomaly_map.ravel()
    count = max(1, round(TOP_SHARE * values.size))
    return Scored(float(np.partition(values, -count)[-count:].mean()), anomaly_map)
