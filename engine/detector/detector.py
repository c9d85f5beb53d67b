"""The detector: all that a version knows, and what it says of an image's features: score and anomaly map.

Prompts are its first part and the only one that it always has. What was learnt besides is added to what they say, so
that a detector of prompts alone is AnomalyCLIP as published.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from engine.backbone.clip import Backbone
from engine.detector.heads import Heads
from engine.detector.image_head import ImageHead, score_logit
from engine.detector.maps import FloatMap
from engine.detector.prompts import Prompts, encode_prompts
from engine.detector.refiner import Refiner
from engine.detector.scoring import anomaly_maps, probabilities
from engine.features.image_features import ImageFeatures
from engine.images.depth import DepthRule
from engine.serving.transfers import to_host


@dataclass(frozen=True)
class Scored:
    """What one detector says of one image.

    Attributes:
        score: 0–1, higher is more anomalous; of prompts alone P(anomalous) of the global feature.
        anomaly_map: (h, w) float32 in the image's proportions, 0–1; of prompts alone the mean over layers of
            ½(1 − S_n) + ½S_a, Gaussian-filtered; with the reference's choices the sum over layers.
    """

    score: float
    anomaly_map: FloatMap


@dataclass(frozen=True)
class Said:
    """What a detector said of a corrected image before it had learnt from it: by a fit that had not seen the image.

    Attributes:
        score: 0–1.
        anomaly_map: (h, w) float32, coarser than those that are served.
    """

    score: float
    anomaly_map: FloatMap


@dataclass(frozen=True)
class Detector:
    """A version's parts, ready to score.

    Attributes:
        prompts: what glocal prompt tuning learnt.
        text_features: (2, D) of the prompts, unit length, order normal, anomalous; on the backbone's device.
        patch_size: side of a patch in px: maps of prompts have so many pixels a patch.
        reference: maps are sums over layers, not means.
        heads: a direction and a bias for each layer and the image; None: the prompts' alone.
        refiner: what was learnt of pixels; None: maps are as the prompts and heads give them.
        image_head: what was learnt of images; None: the score is that of the prompts and heads.
        shift: the operating point: added to the score's logit, so that a threshold keeps its meaning.
        said: sha256 of a corrected image's bytes → what was said of it out of fold.
        depth: how images of more than 8 bits were seen that it learnt from, where no project says; None: each apart.
    """

    prompts: Prompts
    text_features: Tensor
    patch_size: int
    reference: bool = False
    heads: Heads | None = None
    refiner: Refiner | None = None
    image_head: ImageHead | None = None
    shift: float = 0.0
    said: dict[str, Said] = field(default_factory=dict)
    depth: DepthRule | None = None

    @classmethod
    def of_prompts(cls, backbone: Backbone, prompts: Prompts, *, reference: bool = False) -> "Detector":
        """A detector of which nothing but its prompts was learnt. Raises PromptError on another backbone's sizes."""
        text_features = encode_prompts(backbone, prompts, cast_float16=reference)
        return cls(prompts, text_features, backbone.info.patch_size, reference)

    @property
    def sees_surface(self) -> bool:
        """Whether it needs the features' surface."""
        return self.refiner is not None or self.image_head is not None

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of the parts that it has."""
        learnt = {"heads": self.heads, "refiner": self.refiner, "image head": self.image_head}
        return ("prompts", *(name for name, part in learnt.items() if part is not None))

    def prompts_alone(self) -> "Detector":
        """The same without all that was learnt besides the prompts."""
        return replace(self, heads=None, refiner=None, image_head=None, shift=0.0, said={})

    @torch.inference_mode()
    def score(self, features: Sequence[ImageFeatures]) -> list[Scored]:
        """Scores and maps of images, in their order.

        Raises:
            ValueError: it has a refiner or an image head, and features come without their surface.
        """
        features = [one.by_class_token(self.prompts.class_token) for one in features]
        at_first = score_by_texts(
            features, self.text_features, self.patch_size, reference=self.reference, heads=self.heads
        )
        if self.refiner is None and self.image_head is None and not self.shift:
            return at_first
        return [self._refined(one, scored) for one, scored in zip(features, at_first, strict=True)]

    def _refined(self, features: ImageFeatures, scored: Scored) -> Scored:
        """What the refiner and the image head make of it."""
        found, features = scored.anomaly_map, features.cpu()
        if self.refiner is not None:
            found = self.refiner.refine(features, found)
        score = scored.score
        if self.image_head is not None:
            score = self.image_head.score(features, score, found)
        return Scored(shifted(score, self.shift), found)


@torch.inference_mode()
def score_by_texts(
    features: Sequence[ImageFeatures],
    text_features: Tensor,
    patch_size: int,
    *,
    reference: bool = False,
    heads: Heads | None = None,
) -> list[Scored]:
    """What texts, and heads where there are some, say of images of any grids, in their order.

    Args:
        features: of the images.
        text_features: (2, D), unit length, order normal, anomalous.
        patch_size: pixels of a map on a side of a patch.
        reference: maps are sums over layers, not means.
        heads: what is added to the texts' direction.
    """
    scored: list[Scored] = []
    for batch in _of_one_grid(features):
        scores, layers = _probabilities(batch, text_features, heads)
        maps = anomaly_maps(layers, batch[0].grid.times(patch_size), grid=batch[0].grid)
        scores, maps = to_host(scores, maps if reference else maps / len(layers))
        scored += [Scored(score, found) for score, found in zip(scores.tolist(), maps.numpy(), strict=True)]
    return scored


def _probabilities(
    features: Sequence[ImageFeatures], text_features: Tensor, heads: Heads | None
) -> tuple[Tensor, Tensor]:
    """P(anomalous) of images of one grid (B,), and P(normal), P(anomalous) of their patches (L, B, n, 2)."""
    device = text_features.device
    whole = torch.stack([one.global_feature for one in features]).to(device).float()
    patches = torch.stack([one.patch_features for one in features], dim=1).to(device).float()
    return compared(whole, patches, text_features, heads)


def compared(
    whole: Tensor, patches: Tensor, text_features: Tensor, heads: Heads | None = None
) -> tuple[Tensor, Tensor]:
    """Features against texts, and heads where there are some.

    Args:
        whole: (B, D) global features.
        patches: (L, B, n, D) patch features.
        text_features: (2, D), unit length, order normal, anomalous.
        heads: what is added to the texts' direction.

    Returns:
        P(anomalous) of images (B,), and P(normal), P(anomalous) of their patches (L, B, n, 2).
    """
    if heads is not None:
        return heads.probabilities(whole, patches, text_features)
    return probabilities(whole, text_features)[:, 1], probabilities(patches, text_features)


def _of_one_grid(features: Sequence[ImageFeatures]) -> Iterator[list[ImageFeatures]]:
    """Neighbours of one grid together: their order stays."""
    for _, batch in groupby(features, key=lambda one: one.grid):
        yield list(batch)


def shifted(score: float, shift: float) -> float:
    """σ(logit(score) + shift)."""
    return float(1 / (1 + np.exp(-(score_logit(score) + shift)))) if shift else score
