"""What the tiny CLIP is trained for: captions, the state of the image, the state of each patch, the kind of defect."""

from dataclasses import dataclass

import torch
from open_clip.model import CLIP
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.vision_tower import TwoStreamVision
from engine.detector.scoring import TEMPERATURE
from engine.pretrain.batches import Batch
from engine.pretrain.drawing.defects import UNNAMED
from engine.pretrain.model import normalised, text_features

_CONTRASTIVE, _STATE, _DENSE, _KIND = 0.2, 2.0, 3.0, 0.2
_DICE_SHARE = 0.25
_EDGE = 0.4
_NO_KIND = -100


@dataclass(frozen=True)
class Losses:
    """Scalars; `total` is the weighted sum that is minimised."""

    contrastive: Tensor
    state: Tensor
    dense: Tensor
    kind: Tensor
    total: Tensor


def training_losses(model: CLIP, vision: TwoStreamVision, layers: tuple[int, ...], batch: Batch) -> Losses:
    """All terms for one batch."""
    features = vision(normalised(batch.images), layers)
    image = F.normalize(features.global_features.float(), dim=-1)
    patches = torch.stack([F.normalize(features.patch_features[n][:, 1:].float(), dim=-1) for n in layers])
    written = text_features(model, batch.captions)
    normal, damaged = text_features(model, batch.normal_texts), text_features(model, batch.damaged_texts)
    direction = (damaged - normal) / TEMPERATURE

    target, valid, kinds = patch_targets(batch.labels, model.visual.patch_size[0])
    anomalous = (batch.labels > 0).flatten(1).any(dim=1).float()
    contrastive = contrastive_loss(model.logit_scale.exp().clamp(max=100) * image @ written.T, batch.same_caption)
    state = F.binary_cross_entropy_with_logits((image * direction).sum(dim=1), anomalous)
    dense = dense_loss(torch.einsum("lbnd,bd->lbn", patches, direction), target, valid)
    kind = kind_loss(patches.mean(dim=0), text_features(model, batch.kind_texts), kinds)
    total = _CONTRASTIVE * contrastive + _STATE * state + _DENSE * dense + _KIND * kind
    return Losses(contrastive, state, dense, kind, total)


def patch_targets(labels: Tensor, patch: int) -> tuple[Tensor, Tensor, Tensor]:
    """What each patch should say, from (B, s, s) labels.

    Returns:
        target (B, n) float, 1 where anomalous; valid (B, n) bool, False for patches that a defect only grazes: less
        than 0.4 of what it covers of a neighbouring patch; kinds (B, n) int, index in DEFECTS, −100 where normal or
        without a name.
    """
    masks = (labels > 0).float()[:, None]
    share = F.avg_pool2d(masks, patch)
    most = F.max_pool2d(share, 3, stride=1, padding=1)
    positive = (share > 0) & (share >= _EDGE * most)
    valid = positive | (share == 0)
    strongest = F.max_pool2d(labels.float()[:, None], patch).long() - 1
    named = positive & (strongest != UNNAMED)
    kinds = torch.where(named, strongest, torch.full_like(strongest, _NO_KIND))
    return positive.float().flatten(1), valid.flatten(1), kinds.flatten(1)


def contrastive_loss(logits: Tensor, same: Tensor) -> Tensor:
    """CLIP's symmetric cross-entropy over (B, B) logits; images with the same caption share its probability."""
    target = same.float() / same.float().sum(dim=1, keepdim=True)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def dense_loss(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Plain and focal cross-entropy plus dice over (layers, B, n) logits, counting only `valid` (B, n) patches."""
    target, weight = target.expand_as(logits), valid.float().expand_as(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    probs = logits.sigmoid()
    miss = (target - probs).abs()
    overlap = (probs * target * weight).sum(dim=-1)
    extent = ((probs + target) * weight).sum(dim=-1)
    has_defect = target.sum(dim=-1) > 0
    dice = ((1 - (2 * overlap + 1) / (extent + 1)) * has_defect).sum() / has_defect.sum().clamp(min=1)
    return ((1 + miss**2) * entropy * weight).sum() / weight.sum() + _DICE_SHARE * dice


def kind_loss(patches: Tensor, texts: Tensor, kinds: Tensor) -> Tensor:
    """Cross-entropy of anomalous patches (B, n, D) against the texts of all kinds (K, D)."""
    chosen = kinds != _NO_KIND
    if not bool(chosen.any()):
        return patches.sum() * 0
    return F.cross_entropy(F.normalize(patches[chosen], dim=-1) @ texts.T / TEMPERATURE, kinds[chosen])
