"""The glocal loss: cross-entropy on the image, focal and dice on the map of each layer (paper, equation 3)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.scoring import TEMPERATURE
from engine.images.shapes import Grid, square

LAMBDA = 4.0
_GAMMA = 2
_LABEL_SMOOTHING = 1e-5
_DICE_SMOOTHING = 1.0


def focal_per_pixel(probs: Tensor, target: Tensor) -> Tensor:
    """−(1 − p)² log p of the true class, labels smoothed by 1e-5.

    Args:
        probs: (B, 2, H, W), order normal, anomalous.
        target: (B, H, W), 1 where anomalous.

    Returns:
        (B, H, W).
    """
    one_hot = F.one_hot(target.long(), 2).permute(0, 3, 1, 2).to(probs.dtype)
    one_hot = one_hot.clamp(_LABEL_SMOOTHING, 1.0 - _LABEL_SMOOTHING)
    true_class = (one_hot * probs).sum(dim=1) + _LABEL_SMOOTHING
    return -((1 - true_class) ** _GAMMA) * true_class.log()


def focal_loss(probs: Tensor, target: Tensor) -> Tensor:
    """Mean of `focal_per_pixel`: a scalar."""
    return focal_per_pixel(probs, target).mean()


def dice_loss(probs: Tensor, target: Tensor) -> Tensor:
    """1 − dice, smoothed by 1, mean over the batch. Both (B, H, W); a batch of one keeps its first axis."""
    probs, target = probs.flatten(1), target.flatten(1).to(probs.dtype)
    overlap = 2 * (probs * target).sum(dim=1) + _DICE_SMOOTHING
    return (1 - overlap / (probs.sum(dim=1) + target.sum(dim=1) + _DICE_SMOOTHING)).mean()


@dataclass(frozen=True)
class Batch:
    """What is said of a batch of images of one shape, and what is true of them as wholes.

    Attributes:
        image_similarities: (B, 2) cosine of global and text features, order normal, anomalous.
        anomalous: (L, B, n), P(anomalous) of each patch in each layer.
        labels: (B,), 1 where the image is anomalous.
    """

    image_similarities: Tensor
    anomalous: Tensor
    labels: Tensor


@dataclass(frozen=True)
class GlocalLoss:
    """The terms of the loss: scalars, or one scalar a layer; `total` is what is minimised."""

    image: Tensor
    focal: Tensor
    dice_anomalous: Tensor
    dice_normal: Tensor
    total: Tensor


def glocal_loss(batch: Batch, masks: Tensor, weight: float = LAMBDA, grid: Grid | None = None) -> GlocalLoss:
    """Cross-entropy(image) + λ · Σ over layers [focal + dice(S_a, mask) + dice(S_n, 1 − mask)], on all pixels.

    Upsampling is linear and dice is made of sums that are linear in the map: Σ upsample(S) · mask is
    Σ S · upsampleᵀ(mask), the same number without a map. Only the focal term sees every pixel.

    Args:
        batch: B images.
        masks: (B, h, w), 1 where the pixel is anomalous, or its anomalous share; h and w are multiples of the grid's.
        weight: λ; 0 leaves the global loss alone.
        grid: of the n patches; None: a square.
    """
    grid = grid or square(round(batch.anomalous.shape[2] ** 0.5))
    height, width = masks.shape[1:]
    # (patches, pixels): how a line of patches spreads over a line of pixels, bilinearly; for images down and across.
    down, across = (
        F.interpolate(torch.eye(patches, device=masks.device)[None], size=pixels, mode="linear")[0]
        for patches, pixels in ((grid.rows, height), (grid.columns, width))
    )
    maps = down.T @ batch.anomalous.unflatten(2, grid) @ across
    focal = (_focal_of_shares if masks.is_floating_point() else _focal)(maps, masks.to(maps.dtype)).mean(dim=(1, 2, 3))
    area = (height // grid.rows) * (width // grid.columns)
    shares = (down @ masks.to(maps.dtype) @ across.T).flatten(1) / area
    return _terms(batch, shares, area, focal, weight)


def patch_glocal_loss(batch: Batch, shares: Tensor, patch_area: int, weight: float = LAMBDA) -> GlocalLoss:
    """The glocal loss taken on the patch grid: what `glocal_loss` says, every pixel as probable as its patch.

    Args:
        batch: B images.
        shares: (B, n), anomalous share of each patch, 0–1; it weights the focal terms.
        patch_area: pixels in a patch.
        weight: λ; 0 leaves the global loss alone.
    """
    focal = _focal_of_shares(batch.anomalous, shares).mean(dim=(1, 2))
    return _terms(batch, shares, patch_area, focal, weight)


def _terms(batch: Batch, shares: Tensor, patch_area: int, focal: Tensor, weight: float) -> GlocalLoss:
    """All terms, with the focal one (L,) given."""
    image = F.cross_entropy(batch.image_similarities / TEMPERATURE, batch.labels.long())
    smoothing = _DICE_SMOOTHING / patch_area
    dice_anomalous = _patch_dice(batch.anomalous, shares, smoothing)
    dice_normal = _patch_dice(1 - batch.anomalous, 1 - shares, smoothing)
    total = image + weight * (focal + dice_anomalous + dice_normal).sum()
    return GlocalLoss(image, focal, dice_anomalous, dice_normal, total)


def _focal(anomalous: Tensor, masks: Tensor) -> Tensor:
    """`focal_per_pixel` of two classes whose probabilities add to 1: (L, B, s, s) of P(anomalous) → (L, B, s, s)."""
    sure = 1 - 2 * _LABEL_SMOOTHING
    # The smoothed probability of the true class: 2ε + (1 − 2ε) · (p where anomalous, 1 − p elsewhere).
    true_class = torch.addcmul(2 * _LABEL_SMOOTHING + sure * (1 - masks), sure * (2 * masks - 1), anomalous)
    return -((1 - true_class) ** _GAMMA) * true_class.log()


def _focal_of_shares(anomalous: Tensor, shares: Tensor) -> Tensor:
    """The focal terms of both classes, weighted by their shares: P(anomalous) (L, B, …), shares (B, …) → (L, B, …)."""
    p = anomalous.clamp(_LABEL_SMOOTHING, 1.0 - _LABEL_SMOOTHING)
    return -(shares * (1 - p) ** _GAMMA * p.log() + (1 - shares) * p**_GAMMA * (1 - p).log())


def _patch_dice(probs: Tensor, shares: Tensor, smoothing: float) -> Tensor:
    """1 − dice of (L, B, n) against (B, n), mean over the batch: (L,)."""
    overlap = 2 * (probs * shares).sum(dim=-1) + smoothing
    return (1 - overlap / (probs.sum(dim=-1) + shares.sum(dim=-1) + smoothing)).mean(dim=1)
