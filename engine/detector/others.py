"""Rarity: how unlike the patches of a project's other images those of an image are, anywhere and at the same place.

Nobody needs to have said a word of those images: what most of them show is taken for usual. It misleads as often as it
helps, so it is never a map by itself, but one of the refiner's inputs.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.detector.memory import WIDTH, memory_patches
from engine.features import ImageFeatures, surface_of

# Images that are compared with, patches of each, and below how many images nothing is said.
IMAGES, PATCHES, _LEAST = 12, 96, 4
_LOWEST = 0.3  # the share of the images, the most alike ones, whose mean distance counts
_REACH = 6 / 32  # of a side: what is farther away is not at the same place


@dataclass(frozen=True)
class Others:
    """Patches of other images of the project.

    Attributes:
        patches: (m, p, 152), unit length.
        places: (m, p, 2), row and column as shares of the sides.
        identities: of the m images, so that none is compared with itself.
    """

    patches: Tensor
    places: Tensor
    identities: tuple[str, ...] = ()

    def fit(self) -> bool:
        """Whether its tensors belong together."""
        count = len(self.identities)
        return self.patches.shape == (count, PATCHES, WIDTH) and self.places.shape == (count, PATCHES, 2)

    def rarity(self, grid: tuple[int, int], patches: Tensor, own: str) -> Tensor:
        """(…, 2, h/8, w/8): mean distance to the most alike images, anywhere and at the same place; 0 with too few.

        Args:
            grid: of the image's patches.
            patches: (…, n, 152) of `memory_patches`.
            own: the image's `identity`.
        """
        kept = [number for number, one in enumerate(self.identities) if one != own]
        if len(kept) < _LEAST:
            return patches.new_zeros(*patches.shape[:-2], 2, *grid)
        likeness = patches.unsqueeze(-3) @ self.patches[kept].mT
        far = torch.cdist(_places(grid).expand(len(kept), -1, -1), self.places[kept]) > _REACH
        count = max(1, round(_LOWEST * len(kept)))
        nearest = likeness.amax(dim=-1), likeness.masked_fill(far, -1.0).amax(dim=-1)  # anywhere, and at its place
        means = [1 - one.topk(count, dim=-2).values.mean(dim=-2) for one in nearest]
        return torch.stack(means, dim=-2).unflatten(-1, grid)


NOBODY = Others(torch.empty(0, PATCHES, WIDTH), torch.empty(0, PATCHES, 2))


def find_others(images: Sequence[ImageFeatures], seed: int) -> Others:
    """Patches of at most `IMAGES` images, drawn by a seed. Images with too few patches are left out."""
    generator = torch.Generator().manual_seed(seed)
    patches, places, identities = [], [], []
    for one in images[:IMAGES]:
        grid, rows = memory_patches(one)
        if len(rows) < PATCHES:
            continue
        chosen = torch.randperm(len(rows), generator=generator)[:PATCHES]
        patches.append(rows[chosen])
        places.append(_places(grid)[chosen])
        identities.append(identity(one))
    return Others(torch.stack(patches), torch.stack(places), tuple(identities)) if patches else NOBODY


def identity(features: ImageFeatures) -> str:
    """What tells an image by its pixels."""
    return hashlib.sha256(surface_of(features).pixels.numpy().tobytes()).hexdigest()[:16]


def _places(grid: tuple[int, int]) -> Tensor:
    """(n, 2): where each patch of a grid lies, as shares of the sides."""
    rows, columns = ((torch.arange(count) + 0.5) / count for count in grid)
    return torch.cartesian_prod(rows, columns)
