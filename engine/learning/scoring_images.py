"""Fitting image heads: what an image's features as a whole say, and how much each of three voices counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from engine.detector.image_head import ImageHead, block_lengths, descriptor
from engine.learning.corrections import Correction
from engine.learning.side_by_side import side_by_side

_RIDGE = 0.3
# So many images of the other label does each share a hold-out with, where corrections are so few that it matters.
_PARTNERS, _FEW = 6, 60
# How far apart, in deviations, the voices of prompts, map and features are taken to put normal and anomalous images
# before anything is known; and how firmly: as so many corrections would.
_APART = (0.7, 1.0, 0.8)
_FIRMNESS = 6.0


@dataclass(frozen=True)
class Described:
    """Images as a whole.

    Attributes:
        rows: (n, F) descriptors.
        blocks: lengths of their blocks.
    """

    rows: Tensor
    blocks: tuple[int, ...]


def describe(corrections: Sequence[Correction]) -> Described:
    """What is said of corrected images as a whole."""
    layers, _, width = corrections[0].features.patch_features.shape
    return Described(
        torch.stack([descriptor(one.features) for one in corrections]),
        block_lengths(width, layers),
    )


def fit_direction(images: Described, labels: Tensor, chosen: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, scale and direction (F,) of a ridge regression of ±1 on descriptors, balanced between labels.

    Every block has the same weight, however many values it has.

    Args:
        images: n of them.
        labels: (n,), 0 or 1.
        chosen: (n,) which to learn from; None: all.
    """
    described = images.rows if chosen is None else images.rows[chosen]
    labels = labels if chosen is None else labels[chosen]
    scale = torch.cat([_scale(block, len(images.blocks)) for block in described.split(images.blocks, dim=1)])
    if labels.min() == labels.max():
        mean = described.mean(dim=0)
        return mean, scale, torch.zeros_like(mean)
    mean = (described[labels > 0].mean(dim=0) + described[labels == 0].mean(dim=0)) / 2
    rows = (described - mean) / scale
    weights = torch.where(labels > 0, 0.5 / labels.sum(), 0.5 / (1 - labels).sum()) * len(labels)
    # In the span of the rows: as many unknowns as corrections.
    alpha = torch.linalg.solve(rows @ rows.T + torch.diag(_RIDGE / weights), 2 * labels - 1)
    return mean, scale, rows.T @ alpha


def said_of_features(images: Described, labels: Tensor, groups: Tensor, seed: int) -> Tensor:
    """(n,) what the features say of each image by directions that had not seen it.

    A hold-out of one image moves what is left away from its label, and so flatters or slanders it. So an image is held
    out in pairs with images of the other label, and its values are averaged.

    Args:
        images: n of them.
        labels: (n,), 0 or 1.
        groups: (n,), numbers of what belongs together and is held out together.
        seed: of the choice of partners.
    """
    generator = torch.Generator().manual_seed(seed)
    most = _PARTNERS if len(labels) <= _FEW else 1
    pairs: list[list[int]] = []
    for one in range(len(labels)):
        others = (labels != labels[one]).nonzero()[:, 0]
        pairs += [[one, other] for other in others[torch.randperm(len(others), generator=generator)[:most]].tolist()]
    held_out = {tuple(pair): (groups[:, None] == groups[pair]).any(dim=1) for pair in pairs}
    pairs = [pair for pair in pairs if not held_out[tuple(pair)].all()]
    total, count = torch.zeros(len(labels)), torch.zeros(len(labels))
    fits = [partial(fit_direction, images, labels, ~held_out[tuple(pair)]) for pair in pairs]
    for pair, (mean, scale, direction) in zip(pairs, side_by_side(fits), strict=True):
        total[pair] += (images.rows[pair] - mean) / scale @ direction
        count[pair] += 1
    return total / count.clamp_min(1)


def fit_image_head(direction: tuple[Tensor, Tensor, Tensor], voices: Tensor, labels: Tensor) -> ImageHead:
    """The image head over a direction, with weights for the voices (n, 3) that were said out of fold."""
    weights, centre = voice_weights(voices, labels)
    return ImageHead(*direction, weights, -(centre @ weights))


def voice_weights(voices: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """(3,) how much each of the voices (n, 3) counts, as far as it tells labels; and (3,) the middle between them.

    A linear discriminant that takes the voices for independent: with few corrections, what they have in common can't
    be told from luck.
    """
    deviation, centre = _deviation(voices) + 1e-3, voices.mean(dim=0)
    apart = torch.tensor(_APART)
    if labels.min() != labels.max():
        anomalous, normal = voices[labels > 0], voices[labels == 0]
        centre = (anomalous.mean(dim=0) + normal.mean(dim=0)) / 2
        within = torch.cat([anomalous - anomalous.mean(dim=0), normal - normal.mean(dim=0)]).square().mean(dim=0)
        # Two images of a label may agree by luck: the deviation of all keeps what is within a label from vanishing.
        deviation = (within + 0.1 * deviation**2).sqrt() + 1e-3
        found = (anomalous.mean(dim=0) - normal.mean(dim=0)) / deviation
        apart = (len(labels) * found + _FIRMNESS * apart) / (len(labels) + _FIRMNESS)
    return apart.clamp_min(0) / deviation, centre


def _scale(block: Tensor, blocks: int) -> Tensor:
    """What a block's columns are divided by, so that all blocks together have unit variance."""
    deviation = _deviation(block)
    return (deviation + 0.1 * deviation.mean() + 1e-6) * (block.shape[1] * blocks) ** 0.5


def _deviation(values: Tensor) -> Tensor:
    """Of the columns of (n, d): (d,); ones for a single row, of which nothing can be said."""
    return values.std(dim=0) if len(values) > 1 else torch.ones(values.shape[1])
