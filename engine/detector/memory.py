"""The memory: patches that people called normal, and anomalous ones; how far an image's are from the nearest of each.

An image that is only marked normal teaches by it at once.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.features.image_features import ImageFeatures, surface_of

WIDTH = 152  # channels of the middle and the coarsest textures
_FAR = 0.7  # the distance to a memory of nothing


@dataclass(frozen=True)
class Memory:
    """Texture patches on a grid of 8 px of the surface, unit length.

    Attributes:
        normal: (m, 152) patches that nobody marked.
        anomalous: (k, 152) patches that somebody did.
        normal_from: the key of each normal patch's image; empty once it is in service…
        anomalous_from: …and of each anomalous one's.
    """

    normal: Tensor
    anomalous: Tensor
    normal_from: tuple[str, ...] = ()
    anomalous_from: tuple[str, ...] = ()

    def distances(self, grid: tuple[int, int], patches: Tensor, without: str | None = None) -> Tensor:
        """(…, 2, h/8, w/8): cosine distance to the nearest normal and anomalous patch, 0–2.

        Args:
            grid: of the image's patches.
            patches: (…, n, 152) of `memory_patches`.
            without: forget what came from the image of this key.
        """
        banks = ((self.normal, self.normal_from), (self.anomalous, self.anomalous_from))
        known = [bank[_others(keys, without)] if keys and without else bank for bank, keys in banks]
        return torch.stack([_nearest(patches, bank) for bank in known], dim=-2).unflatten(-1, grid)


def memory_patches(features: ImageFeatures) -> tuple[tuple[int, int], Tensor]:
    """The grid (h/8, w/8), and its patches (n, 152), unit length, each the mean of its neighbourhood of 3×3."""
    _, middle, coarse = (one.float() for one in surface_of(features).textures)
    return (coarse.shape[1], coarse.shape[2]), texture_patches(middle[None], coarse[None])[0]


def texture_patches(middle: Tensor, coarse: Tensor) -> Tensor:
    """(B, n, 152) patches of the textures of a batch, (B, 40, h/4, w/4) and (B, 112, h/8, w/8)."""
    both = torch.cat([on_one_scale(F.avg_pool2d(middle, 2)), on_one_scale(coarse)], dim=1)
    both = both.contiguous(memory_format=torch.channels_last)
    around = F.avg_pool2d(F.pad(both, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return F.normalize(around.flatten(2).mT, dim=2)


def on_one_scale(textures: Tensor) -> Tensor:
    """Textures (B, c, h, w) of each image divided by their deviation."""
    return textures / textures.std(dim=(1, 2, 3), keepdim=True).clamp_min(1e-6)


def _others(keys: tuple[str, ...], without: str | None) -> Tensor:
    return torch.tensor([key != without for key in keys])


def _nearest(patches: Tensor, bank: Tensor) -> Tensor:
    """(…, n) distances of patches (…, n, 152) to the nearest of a bank (m, 152)."""
    if not len(bank):
        return patches.new_full(patches.shape[:-1], _FAR)
    return 1 - (patches @ bank.T.to(patches.dtype)).amax(dim=-1)
