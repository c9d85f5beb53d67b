"""How good the model is on drawn images that training never sees: the only figures that choices are made by."""

from collections.abc import Sequence

import numpy as np
import torch
from open_clip.model import CLIP

from engine.backbone.vision_tower import TwoStreamVision
from engine.detector.scoring import TEMPERATURE
from engine.evaluation.metrics.of_arrays import auroc
from engine.pretrain.batches import tokens
from engine.pretrain.drawing.sample import draw_sample
from engine.pretrain.losses import patch_targets
from engine.pretrain.model import normalised, text_features

_SEED_APART = 1_000_003
_X = " ".join("X" * 12)


@torch.no_grad()
def check(
    model: CLIP, layers: Sequence[int], dpam_layer: int, *, seed: int, count: int = 96, size: int = 192
) -> dict[str, float]:
    """AUROC of patches and of images (max of the map, global) on `count` held-out drawings, by the plain prompts."""
    vision = TwoStreamVision(model.visual, dpam_layer).eval()
    samples = [draw_sample(seed + _SEED_APART, 2 * n, size) for n in range(count)]
    words = tokens([f"{_X} object.", f"{_X} damaged object."])
    texts = text_features(model, words.to(model.logit_scale.device))
    direction = (texts[1] - texts[0]) / TEMPERATURE
    maps, scores = [], []
    for start in range(0, count, 16):
        images = np.stack([s.image for s in samples[start : start + 16]]).transpose(0, 3, 1, 2)
        features = vision(normalised(torch.from_numpy(images).to(texts.device)), layers)
        unit = torch.nn.functional.normalize
        patches = torch.stack([unit(features.patch_features[n][:, 1:], dim=-1) for n in layers])
        maps.append((patches @ direction).sigmoid().mean(dim=0).cpu())
        scores.append((unit(features.global_features, dim=-1) @ direction).cpu().numpy())
    target, valid, _ = patch_targets(
        torch.from_numpy(np.stack([s.labels for s in samples])), model.visual.patch_size[0]
    )
    grids = torch.cat(maps).numpy()
    labels = np.array([bool(s.defects) for s in samples])
    return {
        "patch_auroc": auroc(target.numpy()[valid.numpy()] > 0, grids[valid.numpy()]),
        "image_auroc_max": auroc(labels, grids.max(axis=1)),
        "image_auroc_global": auroc(labels, np.concatenate(scores)),
    }
