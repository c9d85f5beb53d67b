"""The frozen CLIP with two streams, and what people and files need to know of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer

from engine.backbone.fingerprint import fingerprint_of, unlike_others
from engine.backbone.plans import (
    SETTING,
    model_fault,
)
from engine.backbone.precision import Precision, reduce_blocks
from engine.backbone.vision_tower import Attention, ClassToken, TwoStreamVision, fold_quick_gelu
from engine.errors import BackboneError
from engine.images.preprocessing import CLIPS_OWN, Preprocessing

# The grid that the paper runs ViT-L/14 on: 518 px = 37 patches.
_PAPER_GRID_SIDE = 518


@dataclass(frozen=True)
class BackboneInfo:
    """What people and files need to know of a backbone.

    Attributes:
        name: as the setting names it, without the folder of a file.
        fingerprint: sha256 of the weights and of all that decides what features mean.
        description: one sentence, what it is good for.
        image_size: side in px that images are resized to unless a setting says otherwise.
        patch_size: side in px of a patch.
        layers: block numbers, from 1, whose patch features make the map.
        dpam_layer: n replaces the attention of the last n − 1 blocks.
        embed_dim: size of the joint space.
        text_width: size of a context vector.
    """

    name: str
    fingerprint: str
    description: str
    image_size: int
    patch_size: int
    layers: tuple[int, ...]
    dpam_layer: int
    embed_dim: int
    text_width: int


class Backbone:
    """A frozen open_clip model, its tokenizer and its facts. Build it with `load_backbone` or from a config.

    `prompts_file` names the prompts that come with it, where some do. `precision` is what the vision tower computes in:
    the fingerprint and the text tower, which prompts are tuned through, do not depend on it. `compiled` lets
    torch.compile fuse the vision tower's blocks. `tokenizer` says what differs from CLIP's own. `plain_class_token` is
    how images are compared with plain words: as the model was trained.
    """

    def __init__(
        self,
        model: CLIP,
        *,
        name: str,
        description: str,
        image_size: int | None = None,
        layers: tuple[int, ...] | None = None,
        dpam_layer: int | None = None,
        attention: Attention = "vv",
        device: str = "cpu",
        precision: Precision = "fp32",
        compiled: bool = False,
        prompts_file: Path | None = None,
        preprocessing: Preprocessing = CLIPS_OWN,
        tokenizer: dict[str, Any] | None = None,
        plain_class_token: ClassToken = "straight",
    ) -> None:
        fault = model_fault(model)
        if fault:
            raise BackboneError(f"{name} can't be used: {fault}. Set {SETTING} to ViT-L-14-336-quickgelu/openai.")
        self.preprocessing = preprocessing
        self.plain_class_token: ClassToken = plain_class_token
        self.prompts_file = prompts_file
        self.device = torch.device(device)
        self.precision: Precision = precision
        self.model = model.float().eval().requires_grad_(False).to(self.device)
        self.tokenizer = SimpleTokenizer(context_length=model.context_length, **(tokenizer or {}))
        blocks = len(model.visual.transformer.resblocks)
        patch = model.visual.patch_size[0]
        chosen_layers = layers or tuple(sorted({max(1, round(blocks * part / 4)) for part in (1, 2, 3, 4)}))
        # The paper: 20 for 24 blocks; other depths keep the share.
        chosen_dpam = round(blocks * 20 / 24) if dpam_layer is None else dpam_layer
        self.vision = TwoStreamVision(model.visual, chosen_dpam, attention)
        self.compiled = compiled
        if compiled:
            self.vision.compile_blocks()
        self.info = BackboneInfo(
            name=name,
            fingerprint=fingerprint_of(
                model, [list(chosen_layers), chosen_dpam, attention], unlike_others(model, preprocessing, tokenizer)
            ),
            description=description,
            image_size=image_size or round(_PAPER_GRID_SIDE / patch) * patch,
            patch_size=patch,
            layers=chosen_layers,
            dpam_layer=chosen_dpam,
            embed_dim=model.visual.output_dim,
            text_width=model.token_embedding.embedding_dim,
        )
        # Last: the fingerprint is of the weights as they came.
        fold_quick_gelu(model.visual)
        reduce_blocks(model.visual, precision)
