"""Rarity: how unlike the patches of a project's other images those of an image are, anywhere and at the same place.

Nobody needs to have said a word of those images: what most of them show is taken for usual. It misleads as often as it
helps, so it is one of the refiner's inputs, and a map by itself only where a person asks for it
(`engine/detector/unlike_others.py`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from engine.detector.memory import WIDTH, memory_patches
from engine.features.image_features import ImageFeatures, surface_of

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
    _known: dict[tuple[int, int], Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

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
        likeness = (patches @ self.patches.flatten(0, 1).T).unflatten(-1, self.patches.shape[:2])
        anywhere = likeness.amax(dim=-1)
        near = likeness.add_(self._far(grid)).amax(dim=-1).clamp_min(-1)
        count = max(1, round(_LOWEST * len(kept)))
        nearest = torch.stack([anywhere, near], dim=-3)
        nearest = nearest if len(kept) == len(self.identities) else nearest[..., kept]
        return (1 - nearest.topk(count, dim=-1).values.mean(dim=-1)).unflatten(-1, grid)

    def _far(self, grid: tuple[int, int]) -> Tensor:
        """(n, m, p): what keeps patches that are not at the place of one of a grid's from being the most alike."""
        far = self._known.get(grid)
        if far is None:
            apart = torch.cdist(_places(grid), self.places.flatten(0, 1)).unflatten(-1, self.places.shape[:2])
            far = (apart > _REACH) * -4.0
            self._known.clear()  # most projects have images of one size
            self._known[grid] = far
        return far


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
