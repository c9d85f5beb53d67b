"""The plain way to do what the engine does, to measure it against: as the reference implementation works.

Attention is written out in float32, softmax(q kᵀ) v as matrix products; both streams go over all tokens; the output of
every block is kept; one image goes through at a time; each layer's map is upsampled on its own, and SciPy filters.
"""

import numpy as np
import torch
from open_clip.transformer import ResidualAttentionBlock
from scipy.ndimage import gaussian_filter
from torch import Tensor
from torch.nn import functional as F

from engine.backbone.clip import Backbone
from engine.backbone.vision_tower import resample_positions
from engine.detector.detector import Scored
from engine.detector.maps import FloatMap
from engine.detector.scoring import SIGMA, TEMPERATURE
from engine.images.decoding import decode_image
from engine.images.preprocessing import preprocess


class PlainScorer:
    """Images' bytes → score and map, with the text features (2, D) of some prompts."""

    def __init__(self, backbone: Backbone, text_features: Tensor, image_size: int) -> None:
        self.visual, self.info, self.device = backbone.model.visual, backbone.info, backbone.device
        self.text_features, self.image_size = text_features, image_size
        self.first_local_block = backbone.vision.first_local_block

    @torch.no_grad()
    def score(self, data: bytes) -> Scored:
        """One image; its map is the mean over layers, 0–1."""
        image = preprocess([decode_image(data)], self.image_size).to(self.device)
        original, outputs = self._blocks(image)
        score = self._probabilities(original[:, 0] @ self.visual.proj)[0, 1]
        total = np.zeros((self.image_size, self.image_size), dtype=np.float32)
        for layer in self.info.layers:
            patches = self.visual.ln_post(outputs[layer - 1]) @ self.visual.proj
            total += self._layer_map(self._probabilities(patches)[:, 1:])
        return Scored(float(score), gaussian_filter(total, sigma=SIGMA) / len(self.info.layers))

    def _blocks(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        original, outputs = self._embed(image), []
        local = original
        for number, block in enumerate(self.visual.transformer.resblocks):
            has_local = number >= self.first_local_block
            original, local = _block(block, original, local, has_local=has_local)
            outputs.append(local)
        return original, outputs

    def _embed(self, image: Tensor) -> Tensor:
        visual = self.visual
        patches = visual.conv1(image)
        positions = resample_positions(visual.positional_embedding, visual.grid_size, patches.shape[-2:])
        tokens = patches.flatten(2).transpose(1, 2)
        return visual.ln_pre(torch.cat([visual.class_embedding.expand(1, 1, -1), tokens], dim=1) + positions)

    def _probabilities(self, features: Tensor) -> Tensor:
        return (F.normalize(features, dim=-1) @ self.text_features.T / TEMPERATURE).softmax(dim=-1)

    def _layer_map(self, probabilities: Tensor) -> FloatMap:
        side = round(probabilities.shape[1] ** 0.5)
        grid = probabilities.transpose(1, 2).reshape(1, 2, side, side)
        pixels = F.interpolate(grid, size=self.image_size, mode="bilinear", align_corners=False)
        return ((pixels[0, 1] + 1 - pixels[0, 0]) / 2).cpu().numpy()


def _block(block: ResidualAttentionBlock, original: Tensor, local: Tensor, *, has_local: bool) -> tuple[Tensor, Tensor]:
    attention, tokens = block.attn, block.ln_1(original)
    batch, count, width = tokens.shape
    projected = F.linear(tokens, attention.in_proj_weight, attention.in_proj_bias)
    query, key, value = projected.reshape(batch, count, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)

    def attend(left: Tensor, right: Tensor) -> Tensor:
        weights = (left @ right.transpose(-2, -1) * left.shape[-1] ** -0.5).softmax(dim=-1)
        return attention.out_proj((weights @ value).transpose(1, 2).reshape(batch, count, width))

    attended = original + attend(query, key)
    after = attended + block.mlp(block.ln_2(attended))
    return after, local + attend(value, value) if has_local else after
