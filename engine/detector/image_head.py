"""The image head: an image's score from what the prompts say, from its map, and from its features as a whole."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.features import ImageFeatures
from engine.maps import FloatMap

# The share of a map's pixels, the highest ones, whose mean says how anomalous the image is.
TOP_SHARE = 0.005
_LEAST = 1e-4  # probabilities are kept so far from 0 and 1…
_LEAST_SCORE = 1e-9  # …and scores when they are shifted


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
        voices = torch.tensor([[logit(score), map_logit(anomaly_map)]])
        return float(self.of_voices(voices, descriptor(features)[None]).sigmoid())

    def of_voices(self, voices: Tensor, described: Tensor) -> Tensor:
        """(B,) the scores' logits, of the logits of prompts and maps (B, 2), and descriptors (B, F)."""
        features = (described - self.mean) / self.scale @ self.direction
        return torch.cat([voices, features[:, None]], dim=1) @ self.weights + self.bias


def descriptor(features: ImageFeatures) -> Tensor:
    """(D + L·D,) float32: the global feature, and each layer's mean patch."""
    return descriptors(features.global_feature.float()[None], features.patch_features.float()[None])[0]


def descriptors(whole: Tensor, patches: Tensor) -> Tensor:
    """(B, D + L·D) of global features (B, D) and patch features (B, L, n, D)."""
    return torch.cat([whole, patches.mean(dim=2).flatten(1)], dim=1)


def map_logit(anomaly_map: FloatMap) -> float:
    """The logit of the mean of a map's highest values."""
    values, count = anomaly_map.ravel(), top_count(anomaly_map.size)
    return logit(float(np.partition(values, -count)[-count:].mean()))


def map_logits(maps: Tensor) -> Tensor:
    """(B,) the same of maps (B, h, w)."""
    values = maps.flatten(1)
    return logits(values.topk(top_count(values.shape[1]), dim=1).values.mean(dim=1))


def top_count(pixels: int) -> int:
    """How many of a map's pixels are its highest."""
    return max(1, round(TOP_SHARE * pixels))


def logits(probabilities: Tensor) -> Tensor:
    """`logit` of each."""
    return probabilities.clamp(_LEAST, 1 - _LEAST).logit()


def score_logits(scores: Tensor) -> Tensor:
    """(B,) float64, `score_logit` of scores."""
    return scores.double().clamp(_LEAST_SCORE, 1 - _LEAST_SCORE).logit()


def logit(probability: float, least: float = _LEAST) -> float:
    """ln(p / (1 − p)), of a probability kept off 0 and 1 by so much."""
    inside = min(max(probability, least), 1 - least)
    return float(np.log(inside / (1 - inside)))


def score_logit(score: float) -> float:
    """The logit of a score that is served: scores that are nearly sure stay apart, and so does their order."""
    return logit(score, _LEAST_SCORE)
