"""What a refiner learns from of one correction, and is judged on: chosen pixels with their inputs."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.maps import FloatMap
from engine.detector.refiner import Views
from engine.features.image_features import surface_of
from engine.learning.corrections import Correction
from engine.learning.side_by_side import side_by_side

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
    corrections: Sequence[Correction],
    views: Views,
    prompts_maps: Sequence[FloatMap],
    count: int,
    generator: torch.Generator,
) -> Iterator[tuple[Pixels | None, Pixels]]:
    """Of each correction pixels to learn from, at most `count`; and the grid of those that are judged, (h/2 · w/2).

    The first are None where nobody said where the image is anomalous.
    """
    drawn = [_drawn(one, count, generator) for one in corrections]
    seen = zip(corrections, prompts_maps, drawn, strict=True)
    return side_by_side([partial(_seen, one, views, found, positions) for one, found, positions in seen])


def _drawn(correction: Correction, count: int, generator: torch.Generator) -> Tensor | None:
    """Positions of the pixels to learn from."""
    if correction.label and correction.marked is None:
        return None
    return _chosen(_as_taught(_marked(correction)), count, generator)


def _seen(
    correction: Correction, views: Views, prompts_map: FloatMap, drawn: Tensor | None
) -> tuple[Pixels | None, Pixels]:
    fine = views.fine(correction.features, prompts_map)
    coarse = views.coarse(correction.features, without=correction.key)
    height, width = fine.shape[1:]
    marked = _marked(correction)
    judged = torch.arange(height * width).view(height, width)[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE].flatten()
    grid = _at(fine, coarse, judged, marked)
    return None if drawn is None else _at(fine, coarse, drawn, _as_taught(marked)), grid


def _marked(correction: Correction) -> Tensor:
    """(h, w) shares of area; nothing where nobody marked any."""
    if correction.marked is not None:
        return correction.marked
    return torch.zeros(surface_of(correction.features).pixels.shape[:2])


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
    here = fine.flatten(1).index_select(1, positions)
    return Pixels(torch.cat([here.half(), raised.half()]).T, here[-1].clone(), marked.flatten()[positions])
