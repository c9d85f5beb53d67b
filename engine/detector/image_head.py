"""The image head: an image's score from what the prompts say, from its map, and from its features as a whole."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.features import ImageFeatures
from engine.maps import FloatMap

# The share of a map's pixels, the highest ones, whose mean says how anomalous the image is.
TOP_SHARE = 0.005
_LEAST = 1e-4  # probabilities are kept so far from 0 and 1


@dataclass(frozen=True)
class ImageHead:
    """score = σ(w · (prompts' logit, map's logit, features' logit) + b).

    Attributes:
        mean: (F,) of the descriptors that it was fitted on…
        scale: (F,) …and what they are divided by.
        direction: (F,) the features' logit is direction · standardised descriptor.
        weights: (3,) of the three logits.
        bias: () b.
    """

    mean: Tensor
    scale: Tensor
    direction: Tensor
    weights: Tensor
    bias: Tensor

    def fits(self, width: int, layers: int) -> bool:
        """Whether its tensors belong to features of this width and so many layers."""
        described = ((layers + 1) * width,)
        return (
            all(one.shape == described for one in (self.mean, self.scale, self.direction))
            and self.weights.shape == (3,)
            and self.bias.shape == ()
        )

    def score(self, features: ImageFeatures, score: float, anomaly_map: FloatMap) -> float:
        """The image's score, 0–1.

        Args:
            features: of the image.
            score: the prompts'.
            anomaly_map: (h, w) of the detector, 0–1.
        """
        described = float((descriptor(features) - self.mean) / self.scale @ self.direction)
        logits = torch.tensor([logit(score), map_logit(anomaly_map), described])
        return float((logits @ self.weights + self.bias).sigmoid())


def descriptor(features: ImageFeatures) -> Tensor:
    """(D + L·D,) float32: the global feature, and each layer's mean patch."""
    means = features.patch_features.float().mean(dim=1).flatten()
    return torch.cat([features.global_feature.float(), means])


def map_logit(anomaly_map: FloatMap) -> float:
    """The logit of the mean of a map's highest values."""
    values = anomaly_map.ravel()
    count = max(1, round(TOP_SHARE * values.size))
    return logit(float(np.partition(values, -count)[-count:].mean()))


def logit(probability: float) -> float:
    """ln(p / (1 − p)), of a probability kept off 0 and 1."""
    inside = min(max(probability, _LEAST), 1 - _LEAST)
    return float(np.log(inside / (1 - inside)))
