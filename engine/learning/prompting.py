"""Glocal prompt tuning as the product does it: the paper's terms on a sample of all corrections' patches at once.

The paper's dice is taken image by image, and of an image without anomalies it is nearly 1 until every p is nearly 0:
where normal images are among the corrections, the best answer to it is to predict nothing. So dice is taken once over
all of them.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.clip import Backbone
from engine.detector.prompts import PromptLearner, Prompts
from engine.detector.scoring import TEMPERATURE
from engine.learning.corrections import Correction
from engine.learning.losses import LAMBDA

_RATE, _BETAS = 2e-3, (0.5, 0.999)
# How firmly few corrections hold the prompts where they start: over the number of corrections.
_PULL = 2.0
_PATCHES = 4_000  # a step sees so many at most
Losses = dict[str, float]


def tune_prompts(
    backbone: Backbone,
    start: Prompts,
    corrections: Sequence[Correction],
    *,
    steps: int,
    seed: int,
    report: Callable[[int, Losses], None] = lambda step, losses: None,
) -> Prompts:
    """Prompts tuned on corrections.

    Args:
        backbone: the frozen CLIP.
        start: where tuning starts, and is pulled to.
        corrections: at least one with a mask, or normal.
        steps: of Adam, each over all corrections.
        seed: of the choice of patches.
        report: told the number of each step, from 1, and the terms of its loss.
    """
    learner = PromptLearner(backbone, start)
    optimizer = torch.optim.Adam(learner.parameters(), lr=_RATE, betas=_BETAS)
    with torch.no_grad():
        anchor = learner()
    data = _Data(corrections, seed, backbone.device)
    for step in range(1, steps + 1):
        text = learner()
        terms = data.loss(text)
        terms["pull"] = _PULL / len(corrections) * (1 - F.cosine_similarity(text, anchor)).sum()
        total = sum(terms.values(), torch.zeros((), device=text.device))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        report(step, {**{name: float(value.detach()) for name, value in terms.items()}, "total": float(total.detach())})
    return learner.prompts(f"tuned on {len(corrections)} corrected images, {steps} steps, seed {seed}")


class _Data:
    """All corrections as one batch, on the backbone's device."""

    def __init__(self, corrections: Sequence[Correction], seed: int, device: torch.device) -> None:
        self.whole = torch.stack([one.features.global_feature for one in corrections]).to(device).float()
        self.labels = torch.tensor([one.label for one in corrections], device=device)
        # With one label alone, cross-entropy on the image teaches nothing but "always".
        self.both_labels = bool(self.labels.min() != self.labels.max())
        known = [one for one in corrections if not one.label or one.marked is not None]
        self.known = bool(known)
        if known:
            patches, shares = _some_patches(known, seed)
            self.patches, self.shares = patches.to(device).float(), shares.to(device)

    def loss(self, text: Tensor) -> dict[str, Tensor]:
        """Terms by name (paper, equation 3): cross-entropy of images, and λ · Σ over layers of focal and both dices."""
        terms: dict[str, Tensor] = {}
        if self.both_labels:
            terms["image"] = F.cross_entropy(self.whole @ text.T / TEMPERATURE, self.labels)
        if self.known:
            p = (self.patches @ (text[1] - text[0]) / TEMPERATURE).sigmoid().clamp(1e-5, 1 - 1e-5)
            y = self.shares
            focal = -(y * (1 - p) ** 2 * p.log() + (1 - y) * p**2 * (1 - p).log()).mean(dim=1)
            terms["focal"] = LAMBDA * focal.sum()
            terms["dice"] = LAMBDA * (_dice(p, y) + _dice(1 - p, 1 - y)).sum()
        return terms


def _some_patches(corrections: Sequence[Correction], seed: int) -> tuple[Tensor, Tensor]:
    """(L, n, D) patches drawn from all, and the share of each that is anomalous."""
    sizes = [one.features.grid.cells for one in corrections]
    drawn = torch.randperm(sum(sizes), generator=torch.Generator().manual_seed(seed))[:_PATCHES].sort().values
    ends = torch.tensor(sizes).cumsum(0)
    patches, shares = [], []
    for one, end, size in zip(corrections, ends, sizes, strict=True):
        mine = drawn[(drawn >= end - size) & (drawn < end)] - (end - size)
        patches.append(one.features.patch_features[:, mine])
        shares.append(_shares(one)[mine])
    return torch.cat(patches, dim=1), torch.cat(shares)


def _shares(correction: Correction) -> Tensor:
    """(n,) the share of each patch that is anomalous."""
    grid = correction.features.grid
    if correction.marked is None:
        return torch.zeros(grid.cells)
    return F.adaptive_avg_pool2d(correction.marked[None], grid).flatten()


def _dice(p: Tensor, y: Tensor) -> Tensor:
    """1 − dice of (L, n) against (n,): (L,)."""
    return 1 - (2 * (p * y).sum(dim=1) + 1e-2) / (p.sum(dim=1) + y.sum() + 1e-2)
