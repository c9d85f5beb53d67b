"""The refiner: a small network over what is seen of each pixel, added to what the prompts say of it.

Its inputs lie on two grids. Filters and the prompts' logit are there for every pixel; textures, patch features and
distances to the memory for every second one. Its first layer is linear, so it is taken on each grid, and only its
result is brought from the coarse grid to the fine one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.texture import CHANNELS as TEXTURES
from engine.detector.filters import CHANNELS, filters_of
from engine.detector.maps import FloatMap, resize_map
from engine.detector.memory import WIDTH, Memory, memory_patches
from engine.detector.others import NOBODY, Others, identity
from engine.features.image_features import ImageFeatures, surface_of

COMPONENTS = 24  # principal components kept, of patch features and of the coarsest textures
FINE = CHANNELS + 1
# Pixels that go through all layers together: what they are in between stays in the processor's own cache.
_STRIP = 8192
_LEAST = 1e-4  # the prompts' probabilities are kept so far from 0 and 1


@dataclass(frozen=True)
class Basis:
    """Principal components: (x − mean) · components.

    Attributes:
        mean: (d,).
        components: (d, k).
    """

    mean: Tensor
    components: Tensor

    def fits(self, width: int) -> bool:
        """Whether it is of values of this width."""
        return self.mean.shape == (width,) and self.components.ndim == 2 and self.components.shape[0] == width

    def of(self, values: Tensor) -> Tensor:
        """(…, d, h, w) → (…, k, h, w)."""
        flat = (values.flatten(-2).mT - self.mean) @ self.components
        return flat.unflatten(-2, values.shape[-2:]).movedim(-1, -3)


@dataclass(frozen=True)
class Views:
    """From features to the refiner's inputs: what was found of a project's images as a whole.

    Attributes:
        patches: of the patch features, mean over layers.
        textures: of the coarsest textures.
        memory: patches called normal and anomalous.
        others: patches of images that nobody has said anything of.
    """

    patches: Basis
    textures: Basis
    memory: Memory
    others: Others = NOBODY

    @property
    def coarse_channels(self) -> int:
        """c of `coarse`."""
        found = self.patches.components.shape[1] + self.textures.components.shape[1]
        return TEXTURES[0] + TEXTURES[1] + found + 4  # distances to the memory, and rarity

    def fit(self, width: int) -> bool:
        """Whether its tensors belong to patch features of this width, and to the texture eye."""
        return (
            self.patches.fits(width)
            and self.textures.fits(TEXTURES[2])
            and self.memory.normal.shape[1:] == self.memory.anomalous.shape[1:] == (WIDTH,)
            and self.others.fit()
        )

    def fine(self, features: ImageFeatures, prompts_map: FloatMap) -> Tensor:
        """(22, h, w): the filter bank, and the prompts' logit."""
        pixels = surface_of(features).pixels
        prompts = torch.from_numpy(np.array(resize_map(prompts_map, *pixels.shape[:2])))
        return fine_inputs(pixels.permute(2, 0, 1)[None].float().contiguous(), prompts[None])[0]

    def coarse(self, features: ImageFeatures, without: str | None = None) -> Tensor:
        """(c, h/2, w/2): textures, patch features, distances to the memory, and rarity among the other images.

        Args:
            features: with their surface.
            without: the key of an image that the memory is to forget: a correction never meets itself in it.
        """
        first, second, third = (_channels_last(one[None]).float() for one in surface_of(features).textures)
        patches = features.patch_features.float().mean(dim=0).T.unflatten(1, features.grid)
        grid, textures = memory_patches(features)
        distances = self.memory.distances(grid, textures, without)
        rarity = self.others.rarity(grid, textures, identity(features))
        return self.coarse_inputs((first, second, third), patches[None], distances[None], rarity[None])[0]

    def coarse_inputs(
        self, textures: tuple[Tensor, Tensor, Tensor], patches: Tensor, distances: Tensor, rarity: Tensor
    ) -> Tensor:
        """(B, c, h/2, w/2) of a batch.

        Args:
            textures: (B, 24, h/2, w/2), (B, 40, h/4, w/4), (B, 112, h/8, w/8).
            patches: (B, D, rows, columns), patch features, mean over layers.
            distances: (B, 2, h/8, w/8) to the memory.
            rarity: (B, 2, h/8, w/8) among the other images.
        """
        first, second, third = textures
        coarser = [second, self.textures.of(third), self.patches.of(patches), distances, rarity]
        return torch.cat([_channels_last(first), *(_resized(one, first.shape[-2:]) for one in coarser)], dim=1)


@dataclass(frozen=True)
class Refiner:
    """What was learnt of pixels.

    Attributes:
        views: how its inputs are made.
        mean: (C,) of the inputs it was fitted on, fine ones first…
        deviation: (C,) …and what they are divided by.
        layers: weight and bias of each of three linear layers: (M, C, k), (M, k), (M, k, k), (M, k), (M, k, 1), (M, 1)
            for M networks, whose answers are averaged.
        share: of the refined map in what is served, 0–1; the rest is the prompts'.
        offset: added to logits, so that 0.5 is where the outline belongs.
    """

    views: Views
    mean: Tensor
    deviation: Tensor
    layers: tuple[Tensor, ...]
    share: float = 1.0
    offset: float = 0.0

    @torch.inference_mode()
    def refine(self, features: ImageFeatures, prompts_map: FloatMap) -> FloatMap:
        """The map of an image, (h, w) of its surface, 0–1, from its features and the prompts' map."""
        fine, coarse = self.views.fine(features, prompts_map), self.views.coarse(features)
        return self.refined(fine[None], coarse[None])[0].numpy()

    def refined(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """(B, h, w) maps, 0–1, from fine inputs (B, 22, h, w) and coarse ones (B, c, h/2, w/2)."""
        prompts = fine[:, -1]
        return mixed(prompts, prompts + self._network(fine, coarse), self.share, self.offset)

    def fits(self, width: int, layers: int) -> bool:
        """Whether its tensors belong together, and to patch features of this width."""
        members, _, hidden = self.layers[0].shape
        inputs = FINE + self.views.coarse_channels
        return (
            self.mean.shape == self.deviation.shape == (inputs,)
            and [layer.shape for layer in self.layers]
            == [
                *((members, inputs, hidden), (members, hidden)),
                *((members, hidden, hidden), (members, hidden)),
                *((members, hidden, 1), (members, 1)),
            ]
            and self.views.fit(width)
        )

    def _network(self, fine: Tensor, coarse: Tensor) -> Tensor:
        """(B, h, w): what is added to the prompts' logit."""
        first, first_bias, *others = self.layers
        weight = first / self.deviation[:, None]  # standardising is part of the first layer
        bias = (first_bias - self.mean @ weight).flatten()
        # (C, M·k): all networks at once, for they see the same inputs.
        weight = weight.transpose(0, 1).flatten(1)
        on_coarse = (coarse.flatten(2).mT @ weight[FINE:] + bias).unflatten(1, coarse.shape[-2:]).movedim(-1, 1)
        raised = _resized(on_coarse, fine.shape[-2:]).flatten(2).mT
        on_fine = _for_each(weight[None, :FINE], fine.shape[0])
        second, second_bias = (_for_each(one, fine.shape[0]) for one in others[:2])
        third, third_bias = others[2][..., 0], others[3]
        strip = raised.shape[1] if torch.compiler.is_compiling() else _STRIP
        added: list[Tensor] = []
        for here, above in zip(fine.flatten(2).mT.split(strip, 1), raised.split(strip, 1), strict=True):
            hidden = F.relu(above.baddbmm_(here, on_fine), inplace=True)
            hidden = hidden.unflatten(2, first.shape[::2]).transpose(1, 2).flatten(0, 1)
            hidden = F.relu(torch.baddbmm(second_bias[:, None], hidden, second), inplace=True)
            members = hidden.unflatten(0, (-1, len(third))).unbind(1)
            added.append(sum(one @ layer for one, layer in zip(members, third, strict=True)))
        summed = torch.cat(added, dim=1) / len(third) + third_bias.mean()
        return summed.unflatten(1, fine.shape[-2:])


def fine_inputs(rgb: Tensor, prompts: Tensor) -> Tensor:
    """(B, 22, h, w) of pixels (B, 3, h, w), 0–255, and the prompts' maps (B, h, w): filters, and the maps' logit."""
    return torch.cat([filters_of(rgb), prompts.clamp(_LEAST, 1 - _LEAST).logit()[:, None]], dim=1)


def mixed(prompts: Tensor, refined: Tensor, share: float, offset: float) -> Tensor:
    """The mean of the prompts' and the refined logits, by the share of the refined one, as probabilities."""
    return (prompts * (1 - share) + (refined + offset) * share).sigmoid()


def _resized(values: Tensor, size: Sequence[int]) -> Tensor:
    """Bilinear interpolation, channels last in memory, where it takes a fifth of the time."""
    return F.interpolate(_channels_last(values), size=tuple(size), mode="bilinear", align_corners=False)


def _channels_last(values: Tensor) -> Tensor:
    return values.contiguous(memory_format=torch.channels_last)


def _for_each(layer: Tensor, images: int) -> Tensor:
    """A layer (M, …) for each of B images: (B·M, …)."""
    return layer.expand(images, *layer.shape).flatten(0, 1)
