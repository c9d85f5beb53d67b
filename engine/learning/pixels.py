"""What a refiner learns from of one correction, and is judged on: chosen pixels with their inputs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.maps import FloatMap
from engine.detector.refiner import Views
from engine.learning.corrections import Correction

# Shares of a cell's area from which it surely is anomalous, and below which it surely is not; between, it says little.
_ANOMALOUS, LEAST_MARKED = 0.5, 0.1
_ANOMALOUS_PART = 1 / 3  # of the pixels that are learnt from, where there are so many
STRIDE = 2  # maps are judged on every second pixel, down and across


@dataclass(frozen=True)
class Pixels:
    """Pixels of an image.

    Attributes:
        inputs: (n, C) float16, fine inputs first.
        prompts: (n,) the prompts' logit.
        marked: (n,) share of each pixel's area that is anomalous.
    """

    inputs: Tensor
    prompts: Tensor
    marked: Tensor


def seen_pixels(
    correction: Correction, views: Views, prompts_map: FloatMap, count: int, generator: torch.Generator
) -> tuple[Pixels | None, Pixels]:
    """Pixels to learn from, at most `count`; and the grid of pixels that are judged, (h/2 · w/2).

    The first are None where nobody said where the image is anomalous.
    """
    fine = views.fine(correction.features, prompts_map)
    coarse = views.coarse(correction.features, without=correction.key)
    height, width = fine.shape[1:]
    marked = torch.zeros(height, width) if correction.marked is None else correction.marked
    judged = torch.arange(height * width).view(height, width)[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE].flatten()
    grid = _at(fine, coarse, judged, marked)
    if correction.label and correction.marked is None:
        return None, grid
    taught = _as_taught(marked)
    return _at(fine, coarse, _chosen(taught, count, generator), taught), grid


def _as_taught(marked: Tensor) -> Tensor:
    """Shares as they are learnt: where a hairline fills no cell by half, what it fills most is what it is."""
    most = float(marked.max())
    return marked / most if 0 < most < _ANOMALOUS else marked


def has_marked(pixels: Sequence[Pixels], positions: Iterable[int]) -> bool:
    """Whether the corrections at these positions show anomalous pixels; normal ones they always do."""
    return any(bool((pixels[i].marked >= LEAST_MARKED).any()) for i in positions)


def _chosen(marked: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Positions, a third of them anomalous where there are so many."""
    flat = marked.flatten()
    anomalous = (flat >= _ANOMALOUS).nonzero()[:, 0]
    normal = (flat < LEAST_MARKED).nonzero()[:, 0]
    some = _some(anomalous, int(count * _ANOMALOUS_PART), generator)
    return torch.cat([some, _some(normal, count - len(some), generator)])


def _some(positions: Tensor, count: int, generator: torch.Generator) -> Tensor:
    return positions[torch.randperm(len(positions), generator=generator)[:count]]


def _at(fine: Tensor, coarse: Tensor, positions: Tensor, marked: Tensor) -> Pixels:
    """Inputs at positions of the fine grid; coarse ones as bilinear interpolation brings them there."""
    height, width = fine.shape[1:]
    rows, columns = positions // width, positions % width
    where = torch.stack([(2 * columns + 1) / width - 1, (2 * rows + 1) / height - 1], dim=-1)
    raised = F.grid_sample(coarse[None], where[None, None], "bilinear", "border", align_corners=False)[0, :, 0]
    inputs = torch.cat([fine.flatten(1)[:, positions], raised]).T
    return Pixels(inputs.half(), inputs[:, len(fine) - 1].clone(), marked.flatten()[positions])
