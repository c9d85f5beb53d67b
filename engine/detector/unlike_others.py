"""A map of what an image shows that a folder's other images don't, where nobody has said anything of them.

Rarity (`engine/detector/others.py`) misleads as often as it helps: what is rare need not be a defect, and a product
that lies otherwise in each image is rare everywhere. So this map is one beside the prompts', for a person to look at.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.detector.maps import FloatMap
from engine.detector.memory import memory_patches
from engine.detector.others import IMAGES, Others, find_others, identity
from engine.detector.standing_out import FEWEST
from engine.features.image_features import ImageFeatures

# The share of the compared images' own patches that is as rare as a map's ½, or rarer.
_RARE = 0.01


@dataclass(frozen=True)
class Unlike:
    """What is usual among some images.

    Attributes:
        others: their patches.
        rare: the rarity that one in a hundred of their patches reaches, > 0.
    """

    others: Others
    rare: float

    def map_of(self, features: ImageFeatures) -> FloatMap:
        """(h/8, w/8) float32, 0–1: r / (r + `rare`) of each patch's rarity r, ½ for one that is as rare as `rare`.

        Args:
            features: of an image, with their surface; it may be one of those that are compared with.
        """
        rarity = _rarity(self.others, features)
        values: FloatMap = (rarity / (rarity + self.rare)).numpy().astype("float32")
        return values


def find_unlike(images: Sequence[ImageFeatures], seed: int = 0) -> Unlike:
    """What is usual among images, of which the first `IMAGES` are kept.

    Raises:
        ValueError: there are fewer than `FEWEST`.
    """
    if len(images) < FEWEST:
        raise ValueError(f"Among {len(images)} images nothing is unlike the others; {FEWEST} are needed.")
    others = find_others(images[:IMAGES], seed)
    rarity = torch.cat([_rarity(others, one).flatten() for one in images[:IMAGES]])
    return Unlike(others, float(rarity.quantile(1 - _RARE).clamp_min(1e-6)))


def _rarity(others: Others, features: ImageFeatures) -> Tensor:
    """(h/8, w/8): how rare each patch is, the mean of anywhere and at its place."""
    return others.rarity(*memory_patches(features), own=identity(features)).mean(dim=0).clamp_min(0)
