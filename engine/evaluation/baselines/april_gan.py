"""VAND / APRIL-GAN, zero-shot (Chen et al. 2023): linear layers take CLIP's patches to the joint space.

The layers, one for each chosen block, are trained on an auxiliary set with focal and dice; texts are the ensemble's,
naming the class; the score is CLIP's own.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.backbone.clip import Backbone
from engine.detector.detector import Scored
from engine.detector.scoring import probabilities, to_grid, upsample
from engine.evaluation.baselines.texts import CLIP_TEMPLATES, WINCLIP_STATES, ensemble, sentences
from engine.features.image_features import ImageFeatures
from engine.learning.losses import dice_loss, focal_loss
from engine.learning.tuning_loop import Example, TuningConfig, TuningLoop
from engine.serving.engine import Engine

LOGIT_SCALE = 100.0  # of the patches, as published
_STATES = (WINCLIP_STATES[0], ("broken {}", *WINCLIP_STATES[1]))


def text_features(backbone: Backbone) -> Callable[[str], Tensor]:
    """Class name → (2, D) of the ensemble of states and CLIP's templates, each class encoded once."""
    known: dict[str, Tensor] = {}

    def of(class_name: str) -> Tensor:
        if class_name not in known:
            normal, anomalous = (sentences(states, CLIP_TEMPLATES, class_name) for states in _STATES)
            known[class_name] = ensemble(backbone, (normal, anomalous), unit_first=True)
        return known[class_name]

    return of


def layer_maps(layers: nn.ModuleList, tokens: Tensor, text: Tensor, side: int) -> list[Tensor]:
    """P(normal), P(anomalous) of each pixel, one (B, 2, side, side) a layer.

    Args:
        layers: one linear layer for each visual layer.
        tokens: (L, B, n, width).
        text: (2, D), unit length.
        side: of the maps in px.
    """
    maps = []
    for layer, some in zip(layers, tokens, strict=True):
        similarity = LOGIT_SCALE * F.normalize(layer(some), dim=-1) @ text.T
        maps.append(upsample(to_grid(similarity), side).softmax(dim=1))
    return maps


class AprilGanTuner(TuningLoop):
    """The linear layers being trained, drawn at random from the configuration's seed.

    Args:
        engine: the backbone and the layers.
        examples: features of `raw_tokens`, with their classes' names.
        config: how to train.
    """

    learner: nn.ModuleList

    def __init__(self, engine: Engine, examples: Sequence[Example], config: TuningConfig) -> None:
        width = engine.backbone.model.visual.conv1.out_channels
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            layers = nn.ModuleList(nn.Linear(width, engine.info.embed_dim) for _ in engine.info.layers)
        super().__init__(layers.to(engine.backbone.device), examples, config)
        self._text = text_features(engine.backbone)

    def _loss(self, batch: list[Example]) -> dict[str, Tensor]:
        focal, dice = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        for name in sorted({example.class_name for example in batch}):
            chosen = [example for example in batch if example.class_name == name]
            tokens = torch.stack([e.features.patch_features for e in chosen], dim=1).to(self.device).float()
            masks = torch.stack([e.mask for e in chosen]).to(self.device)
            share = len(chosen) / len(batch)
            for probs in layer_maps(self.learner, tokens, self._text(name), masks.shape[-1]):
                focal = focal + share * focal_loss(probs, masks)
                dice = dice + share * dice_loss(probs[:, 1], masks)
        return {"focal": focal, "dice": dice, "total": focal + dice}

    @torch.inference_mode()
    def score(self, features: ImageFeatures, class_name: str, image_size: int) -> Scored:
        """Score one image of a class; the map is the mean over layers, 0–1, not filtered."""
        text = self._text(class_name)
        score = probabilities(features.global_feature.to(self.device).float(), text)[1]
        tokens = features.patch_features.to(self.device).float()[:, None]
        maps = [probs[0, 1] for probs in layer_maps(self.learner, tokens, text, image_size)]
        return Scored(float(score), torch.stack(maps).mean(dim=0).cpu().numpy())
