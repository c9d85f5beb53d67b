"""The image head: an image's score from what the prompts say, from its map, and from its features as a whole."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.detector.maps import FloatMap
from engine.detector.memory import WIDTH, on_one_scale
from engine.features.image_features import ImageFeatures, surface_of

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
        described = (sum(block_lengths(width, layers)),)
        return (
            all(one.shape == described for one in (self.mean, self.scale, self.direction))
            and self.weights.shape == (3,)
            and self.bias.shape == ()
        )

    def score(self, features: ImageFeatures, score: float, anomaly_map: FloatMap) -> float:
        """The image's score, 0–1.

        Args:
            features: of the image, with their surface.
            score: the prompts'.
            anomaly_map: (h, w) of the detector, 0–1.
        """
        voices = torch.tensor([[logit(score), map_logit(anomaly_map)]])
        return float(self.of_voices(voices, descriptor(features)[None]).sigmoid())

    def of_voices(self, voices: Tensor, described: Tensor) -> Tensor:
        """(B,) the scores' logits, of the logits of prompts and maps (B, 2), and descriptors (B, F)."""
        features = (described - self.mean) / self.scale @ self.direction
        return torch.cat([voices, features[:, None]], dim=1) @ self.weights + self.bias


def block_lengths(width: int, layers: int) -> tuple[int, int, int]:
    """Of a descriptor: what the image looks like, how its patches differ, and its textures."""
    return (layers + 1) * width, layers * width, 2 * WIDTH


def descriptor(features: ImageFeatures) -> Tensor:
    """(F,) float32 of an image's features with their surface: see `descriptors`."""
    _, middle, coarse = (one.float()[None] for one in surface_of(features).textures)
    return descriptors(features.global_feature.float()[None], features.patch_features.float()[None], middle, coarse)[0]


def descriptors(whole: Tensor, patches: Tensor, middle: Tensor, coarse: Tensor) -> Tensor:
    """What is said of images as a whole, block by block of `block_lengths`.

    Args:
        whole: (B, D) global features.
        patches: (B, L, n, D) patch features.
        middle: (B, 40, h/4, w/4) textures…
        coarse: (B, 112, h/8, w/8) …and coarser ones.

    Returns:
        (B, F): the global feature and each layer's mean patch; the deviation of each layer's patches; mean and
        deviation of each texture.
    """
    textures = [on_one_scale(one).flatten(2) for one in (middle, coarse)]
    means, deviations = (torch.cat([take(one) for one in textures], dim=1) for take in (_mean, _deviation))
    return torch.cat(
        [whole, patches.mean(dim=2).flatten(1), _deviation(patches.mT).flatten(1), means, deviations], dim=1
    )


def _mean(values: Tensor) -> Tensor:
    return values.mean(dim=-1)


def _deviation(values: Tensor) -> Tensor:
    return values.std(dim=-1, correction=0)


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
