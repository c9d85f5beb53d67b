"""Glocal prompt tuning over features that were encoded once (paper, section 3.3): the backbone stays frozen."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.clip import Backbone
from engine.detector.prompts import PromptLearner, Prompts
from engine.detector.scoring import TEMPERATURE
from engine.images.shapes import Grid
from engine.learning.losses import Batch, glocal_loss, patch_glocal_loss
from engine.learning.tuning_loop import Example, TuningConfig, TuningLoop, mean_terms


class Tuner(TuningLoop):
    """Prompts being tuned; the terms of its loss are image, focal, dice, pull and total.

    Args:
        backbone: the frozen CLIP.
        start: the prompts to start from.
        examples: at least one.
        config: how to tune.
    """

    learner: PromptLearner

    def __init__(self, backbone: Backbone, start: Prompts, examples: Sequence[Example], config: TuningConfig) -> None:
        seen = [replace(one, features=one.features.by_class_token(start.class_token)) for one in examples]
        super().__init__(PromptLearner(backbone, start, cast_float16=config.cast_float16), seen, config)
        with torch.no_grad():
            self._anchor = self.learner()
        # With one label alone, cross-entropy on the image teaches nothing but "always".
        self._both_labels = len({example.label for example in self.examples}) == 2

    def _loss(self, batch: list[Example]) -> dict[str, Tensor]:
        text = self.learner()
        terms = self._glocal(batch, text)
        pull = self.config.pull / len(self.examples) * (1 - F.cosine_similarity(text, self._anchor)).sum()
        return {**terms, "pull": pull, "total": terms["total"] + pull}

    def _glocal(self, batch: Sequence[Example], text: Tensor) -> dict[str, Tensor]:
        """Terms of the loss of images of any shapes, against the text features (2, D)."""
        ordered = sorted(batch, key=_shape)
        shapes = [list(same) for _, same in groupby(ordered, key=_shape)]
        return mean_terms(shapes, lambda same: self._glocal_of_one_shape(same, text))

    def _glocal_of_one_shape(self, batch: Sequence[Example], text: Tensor) -> dict[str, Tensor]:
        grid = batch[0].features.grid
        masks = torch.stack([example.mask for example in batch]).to(self.device)
        labels = torch.tensor([example.label for example in batch], device=self.device)
        similarities = torch.stack([e.features.global_feature for e in batch]).to(self.device).float() @ text.T
        patches = torch.stack([e.features.patch_features for e in batch], dim=1).to(self.device).float()
        # Softmax over two is the sigmoid of their difference: one direction is compared with the patches, not two.
        anomalous = (patches @ (text[1] - text[0]) / TEMPERATURE).sigmoid()
        seen = Batch(similarities, anomalous, labels)
        if self.config.resolution == "pixels":
            loss = glocal_loss(seen, masks, self.config.weight, grid)
        else:
            loss = patch_glocal_loss(seen, *_patch_shares(masks, grid), self.config.weight)
        image = loss.image * self.config.image_weight if self._both_labels else 0.0 * loss.image
        dice = (loss.dice_anomalous + loss.dice_normal).sum()
        return {"image": image, "focal": loss.focal.sum(), "dice": dice, "total": loss.total - loss.image + image}

    @torch.no_grad()
    def text_features(self) -> Tensor:
        """(2, D) of the prompts as they are now."""
        return self.learner()

    def prompts(self, note: str) -> Prompts:
        """The prompts as they are now."""
        return self.learner.prompts(note)


def _shape(example: Example) -> tuple[int, ...]:
    return (*example.features.grid, *example.mask.shape)


def _patch_shares(masks: Tensor, grid: Grid) -> tuple[Tensor, int]:
    """(B, h, w) masks → anomalous share of each patch (B, n), and the pixels in a patch."""
    shares = F.adaptive_avg_pool2d(masks[:, None].float(), grid).flatten(1)
    return shares, masks[0].numel() // grid.cells
