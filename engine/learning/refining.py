"""Fitting refiners: several at once, each on pixels of its own, in one batch of small matrix products.

A refiner is two networks that see the same pixels. One takes all normal pixels alike, the other mostly those that are
hard. Either is better than the other on every second set, by as much as 0.05 of AP; their mean is nearly as good as the
better one, and better than two of a kind.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.detector.refiner import Refiner, Views
from engine.learning.pixels import LEAST_MARKED, Pixels

HIDDEN = 32
MEMBERS = 2
# Few corrections are soon learnt by heart: the fewer they are, the shorter the fit.
_STEPS, _STEPS_PER_CORRECTION = 90, 2
_MOST_STEPS = 170
_ANOMALOUS_PIXELS, _NORMAL_PIXELS = 384, 768  # a step
_RATE, _DECAY = 3e-3, 1e-2
_DROPOUT = 26  # of 256: a tenth
# So much of the normal pixels' weight goes to the hard ones, in each of the networks.
_HARD = (0.0, 0.5)


def steps_for(corrections: int) -> int:
    """How long a fit to so many corrections is."""
    return min(_MOST_STEPS, _STEPS + _STEPS_PER_CORRECTION * corrections)


def fit_refiners(views: Views, pixels: Sequence[Pixels], fits: Sequence[Sequence[int]], seed: int) -> list[Refiner]:
    """Fit several refiners, each to some of the corrections, all with as many steps.

    The last layer starts at zero, so that nothing learnt means the prompts' own map. AdamW, one cycle; binary
    cross-entropy on the shares of area, a third of the pixels anomalous.

    Args:
        views: how the inputs were made.
        pixels: of each correction.
        fits: for each refiner the positions of its corrections; with anomalous and normal pixels among them.
        seed: of the networks and of the order of pixels.
    """
    generator = torch.Generator().manual_seed(seed)
    seen = _Seen(pixels)
    draws = [seen.of(positions) for positions in fits]
    steps = steps_for(max(len(positions) for positions in fits))
    layers = _starting_layers(MEMBERS * len(draws), seen.inputs.shape[1], generator)
    optimizer = torch.optim.AdamW(layers, _RATE, weight_decay=_DECAY, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps, pct_start=0.2)
    for _ in range(steps):
        chosen = torch.stack([_drawn(draw, generator) for draw in draws])
        logits = _network(seen.inputs_of(chosen), layers, generator).unflatten(0, (-1, MEMBERS))
        logits = logits + seen.prompts[chosen][:, None]
        marked = seen.marked[chosen][:, None].expand_as(logits)
        loss = F.binary_cross_entropy_with_logits(logits, marked, _weights(logits), reduction="sum")
        loss = loss / chosen.shape[1]
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
    return [
        Refiner(
            views,
            seen.mean,
            seen.deviation,
            tuple(layer.detach()[number : number + MEMBERS].clone() for layer in layers),
        )
        for number in range(0, MEMBERS * len(fits), MEMBERS)
    ]


class _Seen:
    """The pixels of all corrections, standardised together."""

    def __init__(self, pixels: Sequence[Pixels]) -> None:
        inputs = torch.cat([one.inputs for one in pixels]).float()
        self.mean, self.deviation = inputs.mean(dim=0), inputs.std(dim=0) + 1e-3
        self.inputs = inputs.sub_(self.mean).div_(self.deviation)
        self.prompts = torch.cat([one.prompts for one in pixels])
        self.marked = torch.cat([one.marked for one in pixels])
        self._from = torch.cat([torch.full((len(one.prompts),), number) for number, one in enumerate(pixels)])

    def of(self, positions: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Where the anomalous and the normal pixels of some corrections are."""
        inside = torch.isin(self._from, torch.tensor(positions))
        anomalous = self.marked >= LEAST_MARKED
        return (inside & anomalous).nonzero()[:, 0], (inside & ~anomalous).nonzero()[:, 0]

    def inputs_of(self, chosen: Tensor) -> Tensor:
        """(N, n, C) of (N, n) pixels; so it takes a third of the time that indexing does."""
        return self.inputs.index_select(0, chosen.flatten()).unflatten(0, chosen.shape)


def _drawn(draw: tuple[Tensor, Tensor], generator: torch.Generator) -> Tensor:
    """Some anomalous and some normal pixels."""
    counts = zip(draw, (_ANOMALOUS_PIXELS, _NORMAL_PIXELS), strict=True)
    return torch.cat([one[torch.randint(len(one), (count,), generator=generator)] for one, count in counts])


@torch.no_grad()
def _weights(logits: Tensor) -> Tensor:
    """Of pixels as `_drawn` gives them, (N, M, n): a mean of one for the anomalous ones, and for the normal ones.

    Nearly all pixels of an image are normal and easy; what is taken for a defect beside it, or in its place, is a small
    part of the rest. As in the focal loss (Lin et al., ICCV 2017) hard ones count more: a part of the normal pixels'
    weight is in proportion to their probability.
    """
    weights = torch.ones_like(logits)
    hard = logits[..., _ANOMALOUS_PIXELS:].sigmoid()
    hard = hard / (hard.mean(dim=-1, keepdim=True) + 1e-6)
    weights[..., _ANOMALOUS_PIXELS:] += logits.new_tensor(_HARD)[:, None] * (hard - 1)
    return weights


def _starting_layers(networks: int, inputs: int, generator: torch.Generator) -> list[nn.Parameter]:
    """Weights (N, in, out) and biases (N, out) of three layers, drawn as torch draws linear ones, the last zero."""
    layers = []
    for ins, outs in ((inputs, HIDDEN), (HIDDEN, HIDDEN)):
        bound = ins**-0.5
        for shape in ((networks, ins, outs), (networks, outs)):
            layers.append(nn.Parameter((torch.rand(shape, generator=generator) * 2 - 1) * bound))
    return [*layers, nn.Parameter(torch.zeros(networks, HIDDEN, 1)), nn.Parameter(torch.zeros(networks, 1))]


def _network(inputs: Tensor, layers: Sequence[Tensor], generator: torch.Generator | None = None) -> Tensor:
    """(N, n, C) → (N·M, n) of N·M networks, M in a row on the same inputs; with a generator, the first drops out."""
    first, first_bias, second, second_bias, third, third_bias = layers
    wide = first.unflatten(0, (len(inputs), -1)).transpose(1, 2).flatten(2)  # (N, C, M·k)
    hidden = F.relu(torch.baddbmm(first_bias.view(len(inputs), 1, -1), inputs, wide))
    if generator is not None:
        hidden = hidden * _kept(hidden.shape, generator)
    hidden = hidden.unflatten(2, (-1, first.shape[2])).transpose(1, 2).flatten(0, 1)
    hidden = F.relu(torch.baddbmm(second_bias[:, None], hidden, second))
    return torch.baddbmm(third_bias[:, None], hidden, third)[..., 0]


def _kept(shape: torch.Size, generator: torch.Generator) -> Tensor:
    """0 for what drops out, 1 and what makes up for it for the rest; a random byte for each, eight of them at once."""
    drawn = torch.empty(-(-shape.numel() // 8), dtype=torch.int64)
    drawn.random_(torch.iinfo(torch.int64).min, None, generator=generator)
    kept = drawn.view(torch.uint8)[: shape.numel()].view(shape) >= _DROPOUT
    return kept.float().mul_(256 / (256 - _DROPOUT))


@torch.no_grad()
def refined_logits(refiner: Refiner, pixels: Pixels) -> Tensor:
    """(n,) the refined logit of pixels, without share and offset: what `Refiner.refine` makes of these inputs."""
    inputs = (pixels.inputs.float() - refiner.mean) / refiner.deviation
    return pixels.prompts + _network(inputs[None], refiner.layers).mean(dim=0)
