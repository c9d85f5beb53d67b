"""What is found of a project's images as a whole, before anything is fitted: principal components, and the memory."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.memory import WIDTH, Memory, memory_patches
from engine.detector.others import find_others
from engine.detector.refiner import COMPONENTS, Basis, Views
from engine.features.image_features import ImageFeatures, surface_of
from engine.learning.corrections import Correction

# Patches that an image gives to each side of the memory, and that a memory holds in all.
_PATCHES, _MOST = 64, 1500
_SURELY, _SURELY_NOT = 0.25, 0.02  # shares of a patch's area
_FOR_COMPONENTS = 20_000


def find_views(corrections: Sequence[Correction], seed: int, unlabelled: Sequence[ImageFeatures] = ()) -> Views:
    """Components of the corrections' features, a memory of their patches, and patches of images without a label."""
    generator = torch.Generator().manual_seed(seed)
    patches = [one.features.patch_features.float().mean(dim=0) for one in corrections]
    textures = [surface_of(one.features).textures[2].float().flatten(1).T for one in corrections]
    return Views(
        _components(patches, generator),
        _components(textures, generator),
        _memory(corrections, generator),
        find_others(unlabelled, seed),
    )


def _components(values: Sequence[Tensor], generator: torch.Generator) -> Basis:
    """Principal components of (n, d) rows."""
    rows = torch.cat(list(values))
    rows = rows[torch.randperm(len(rows), generator=generator)[:_FOR_COMPONENTS]]
    mean = rows.mean(dim=0)
    _, vectors = torch.linalg.eigh((rows - mean).T @ (rows - mean) / len(rows))
    # A sign for each, so that the same images give the same numbers on every machine.
    components = vectors.flip(1)[:, :COMPONENTS]
    signs = components.gather(0, components.abs().argmax(dim=0, keepdim=True)).sign()
    return Basis(mean, (components * signs).contiguous())


def _memory(corrections: Sequence[Correction], generator: torch.Generator) -> Memory:
    count = max(4, min(_PATCHES, _MOST // max(len(corrections), 1)))
    sides: tuple[list[Tensor], list[Tensor]] = ([], [])
    names: tuple[list[str], list[str]] = ([], [])
    for one in corrections:
        if one.label and one.marked is None:
            continue
        grid, patches = memory_patches(one.features)
        for side, chosen in enumerate(_sides(one, grid)):
            some = patches[chosen[torch.randperm(len(chosen), generator=generator)[:count]]]
            sides[side].append(some)
            names[side].extend([one.key] * len(some))
    normal, anomalous = (torch.cat([torch.empty(0, WIDTH), *side]) for side in sides)
    return Memory(normal, anomalous, tuple(names[0]), tuple(names[1]))


def _sides(correction: Correction, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Positions of the patches that are surely normal, and surely anomalous."""
    if correction.marked is None:
        return torch.arange(grid[0] * grid[1]), torch.empty(0, dtype=torch.long)
    share = F.adaptive_avg_pool2d(correction.marked[None], grid).flatten()
    surely = min(_SURELY, float(share.max())) if share.max() > 0 else 1.0
    return (share < _SURELY_NOT).nonzero()[:, 0], (share >= surely).nonzero()[:, 0]
