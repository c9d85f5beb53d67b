"""Fitting image heads: what an image's features as a whole say, and how much each of three voices counts."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.image_head import ImageHead, descriptor
from engine.learning.corrections import Correction

_RIDGE = 0.02  # of the direction, over the number of corrections
# What the voices of prompts and map count before anything is known of them, and that of the features, the more the
# more corrections it was learnt from; and how firmly: as so many corrections would.
_PROMPTS, _MAP, _FEATURES, _FEATURES_PER_CORRECTION = 0.5, 0.5, 0.25, 1 / 40
_FIRMNESS = 4.0


def describe(corrections: Sequence[Correction]) -> Tensor:
    """(n, F) descriptors."""
    return torch.stack([descriptor(one.features) for one in corrections])


def fit_direction(described: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, scale and direction (F,) of a ridge logistic regression on descriptors (n, F), balanced between labels."""
    mean = described.mean(dim=0)
    deviation = _deviation(described)
    scale = (deviation + 0.1 * deviation.mean() + 1e-6) * described.shape[1] ** 0.5
    if labels.min() == labels.max():
        return mean, scale, torch.zeros_like(mean)
    rows = (described - mean) / scale
    # In the span of the rows: as many unknowns as corrections.
    gram = rows @ rows.T
    alpha = _logistic(gram, labels, lambda a: _RIDGE / len(labels) * (a @ gram @ a))
    return mean, scale, rows.T @ alpha


def fit_image_head(direction: tuple[Tensor, Tensor, Tensor], voices: Tensor, labels: Tensor) -> ImageHead:
    """The image head over a direction, with weights for voices (n, 3) that were said out of fold."""
    start = torch.tensor((_PROMPTS, _MAP, _FEATURES + _FEATURES_PER_CORRECTION * len(labels)))
    spread = _deviation(voices) + 1e-3
    weights = start / spread
    centre = voices.mean(dim=0)
    if labels.min() != labels.max():
        rows = (voices - centre) / spread
        change = _logistic(rows, labels, lambda a: _FIRMNESS / len(labels) * a.square().sum(), prior=rows @ start)
        weights = ((start + change) / spread).clamp_min(0)
    return ImageHead(*direction, weights, -(centre @ weights))


def _deviation(values: Tensor) -> Tensor:
    """(F,) of the rows (n, F); of a single row, which has none, 1."""
    return values.std(dim=0) if len(values) > 1 else torch.ones_like(values[0])


def _logistic(rows: Tensor, labels: Tensor, penalty, prior: Tensor | None = None) -> Tensor:  # type: ignore[no-untyped-def]
    """Coefficients of a balanced logistic regression with a bias of its own, which is left out."""
    weights = torch.where(labels > 0, 0.5 / labels.sum(), 0.5 / (1 - labels).sum())
    coefficients = torch.zeros(rows.shape[1], requires_grad=True)
    bias = torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([coefficients, bias], max_iter=50, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        logits = rows @ coefficients + bias + (0 if prior is None else prior)
        value = F.binary_cross_entropy_with_logits(logits, labels, weight=weights, reduction="sum")
        value = value + penalty(coefficients)
        value.backward()
        return value

    optimizer.step(loss)
    return coefficients.detach()
