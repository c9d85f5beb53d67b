"""Fitting heads: a convex problem for each layer and for the image, balanced between normal and anomalous."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.heads import Heads
from engine.detector.scoring import TEMPERATURE
from engine.learning.corrections import Correction

RIDGE = 0.3  # over the number of corrections
_PATCHES = 6_000  # of all corrections, a third of them anomalous where there are so many
_ITERATIONS = 25


def fit_heads(corrections: Sequence[Correction], text_features: Tensor, seed: int) -> Heads:
    """Heads for the corrections, as little unlike the prompts' directions as they allow.

    Args:
        corrections: at least one.
        text_features: (2, D) of the prompts.
        seed: of the choice of patches.
    """
    shared = (text_features[1] - text_features[0]).cpu()
    ridge = RIDGE / len(corrections)
    patches, marked = _patches(corrections, seed)
    layers = [_direction(layer.float(), marked, shared, ridge) for layer in patches]
    whole = torch.stack([one.features.global_feature.float() for one in corrections])
    labels = torch.tensor([float(one.label) for one in corrections])
    image = _direction(whole, labels, shared, ridge)
    directions, biases = (torch.stack(part) for part in zip(*layers, strict=True))
    return Heads(directions, biases, *image)


def _patches(corrections: Sequence[Correction], seed: int) -> tuple[Tensor, Tensor]:
    """(L, n, D) patches of all corrections, and the share of each that is anomalous."""
    generator = torch.Generator().manual_seed(seed)
    count = max(60, _PATCHES // len(corrections))
    chosen, shares = [], []
    for one in corrections:
        if one.label and one.marked is None:
            chosen.append(one.features.patch_features[:, :0])
            shares.append(torch.empty(0))
            continue
        grid = one.features.grid
        marked = torch.zeros(grid) if one.marked is None else F.adaptive_avg_pool2d(one.marked[None], grid)[0]
        order = torch.randperm(grid.cells, generator=generator)
        order = torch.cat([order[marked.flatten()[order] > 0][: count // 3], order[marked.flatten()[order] == 0]])[
            :count
        ]
        chosen.append(one.features.patch_features[:, order])
        shares.append(marked.flatten()[order])
    return torch.cat(chosen, dim=1), torch.cat(shares)


def _direction(features: Tensor, target: Tensor, shared: Tensor, ridge: float) -> tuple[Tensor, Tensor]:
    """δ (D,) and b: balanced cross-entropy of (n, D) features against shares (n,), and ridge · ‖δ‖²."""
    prior = F.normalize(features, dim=-1) @ shared / TEMPERATURE
    positive, negative = target.sum(), (1 - target).sum()
    if not (positive > 0 and negative > 0):
        return torch.zeros_like(shared), torch.zeros(())
    weights = target / positive + (1 - target) / negative
    delta = torch.zeros_like(shared, requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([delta, bias], max_iter=_ITERATIONS, line_search_fn="strong_wolfe")
    unit = F.normalize(features, dim=-1) / TEMPERATURE

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = prior + unit @ delta + bias
        value = F.binary_cross_entropy_with_logits(logits, target, weight=weights, reduction="sum") / 2
        value = value + ridge * delta.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return delta.detach(), bias.detach()
