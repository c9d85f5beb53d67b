"""Glocal prompt tuning as the product does it: the paper's terms on a sample of all corrections' patches at once.

The paper's dice is taken image by image, and of an image without anomalies it is nearly 1 until every p is nearly 0:
where normal images are among the corrections, the best answer to it is to predict nothing. So dice is taken once over
all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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
    with _one_thread():
        return _tuned(backbone, start, corrections, steps, seed, report)


@contextmanager
def _one_thread() -> Iterator[None]:
    """One of torch's threads: a step is so small that several spend it on waiting for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _tuned(
    backbone: Backbone,
    start: Prompts,
    corrections: Sequence[Correction],
    steps: int,
    seed: int,
    report: Callable[[int, Losses], None],
) -> Prompts:
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
        patches, shares = zip(*(_patches(one) for one in known), strict=True) if known else ((), ())
        if known:
            generator = torch.Generator().manual_seed(seed)
            every, share = torch.cat(patches, dim=1), torch.cat(shares)
            chosen = torch.randperm(len(share), generator=generator)[:_PATCHES]
            self.patches, self.shares = every[:, chosen].to(device).float(), share[chosen].to(device)

        self.known = bool(known)

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


def _patches(correction: Correction) -> tuple[Tensor, Tensor]:
    """(L, n, D) patches, and the share of each that is anomalous."""
    features = correction.features
    if correction.marked is None:
        return features.patch_features, torch.zeros(features.grid.cells)
    return features.patch_features, F.adaptive_avg_pool2d(correction.marked[None], features.grid).flatten()


def _dice(p: Tensor, y: Tensor) -> Tensor:
    """1 − dice of (L, n) against (n,): (L,)."""
    return 1 - (2 * (p * y).sum(dim=1) + 1e-2) / (p.sum(dim=1) + y.sum() + 1e-2)
