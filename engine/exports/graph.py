"""A detector as one module of tensors: a preprocessed image, and where it is seen its surface → score, map."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from engine.backbone.vision_tower import CLASS_TOKENS
from engine.detector.detector import Detector, compared
from engine.detector.image_head import descriptors, logits, map_logits, score_logits
from engine.detector.memory import texture_patches
from engine.detector.refiner import Refiner, fine_inputs
from engine.detector.scoring import patches_to_pixels
from engine.features.image_features import unit_features
from engine.images.shapes import Grid
from engine.serving.engine import Engine


class ScoringGraph(nn.Module):
    """What `Engine.encode` and `Engine.score` do with all parts of a detector, in float32 and in tensors throughout.

    One thing differs: an image that is itself among those that rarity is measured by is compared with itself too, for
    a graph can't tell which image it sees.

    Args:
        engine: the backbone, on the CPU.
        detector: its parts become constants.
        grid: of the patches of the images that it takes.
        surface: (H, W) of their maps where it has a refiner; the texture eye sees images at twice that.
    """

    down: Tensor
    across: Tensor

    def __init__(self, engine: Engine, detector: Detector, grid: Grid, surface: Grid) -> None:
        super().__init__()
        self.vision, self.layers, self.detector, self.grid = (
            engine.backbone.vision,
            engine.info.layers,
            detector,
            grid,
        )
        self.divisor = 1 if detector.reference else len(self.layers)
        self.eye = engine.eye if detector.sees_surface else None
        size = grid.times(detector.patch_size)
        for name, patches, pixels, wanted in zip(("down", "across"), grid, size, surface, strict=True):
            matrix = patches_to_pixels(patches, pixels)
            if detector.refiner is not None:
                matrix = resizing(pixels, wanted) @ matrix
            self.register_buffer(name, torch.from_numpy(matrix))

    def forward(self, image: Tensor, surface: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scores (B,) and maps (B, h, w).

        Args:
            image: (B, 3, h, w), normalised by CLIP's mean and deviation.
            surface: (B, 3, 2H, 2W), RGB of 0–1; None where the detector sees none.
        """
        whole, patches = unit_features(self.vision(image, self.layers), self.layers, torch.float32)
        parts = self.detector
        whole = whole[:, CLASS_TOKENS.index(parts.prompts.class_token)]
        scores, layers = compared(whole, patches.transpose(0, 1), parts.text_features, parts.heads)
        values = ((layers[..., 1] + 1 - layers[..., 0]) / 2).sum(dim=0).unflatten(1, self.grid)
        maps = self.down @ values @ self.across.T / self.divisor
        if self.eye is None or surface is None:
            return self._moved(scores), maps
        pixels = (surface * 255).round()
        textures = self.eye(pixels / 255)
        if parts.refiner is not None:
            maps = self._refined(parts.refiner, maps, patches, pixels, textures)
        if parts.image_head is not None:
            voices = torch.stack([logits(scores), map_logits(maps)], dim=1)
            described = descriptors(whole, patches, textures[1], textures[2])
            scores = parts.image_head.of_voices(voices, described).sigmoid()
        return self._moved(scores), maps

    def _refined(
        self, refiner: Refiner, maps: Tensor, patches: Tensor, pixels: Tensor, textures: tuple[Tensor, Tensor, Tensor]
    ) -> Tensor:
        rgb = F.avg_pool2d(pixels, 2).round()
        rows = texture_patches(textures[1], textures[2])
        grid = (textures[2].shape[2], textures[2].shape[3])
        coarse = refiner.views.coarse_inputs(
            textures,
            patches.mean(dim=1).mT.unflatten(2, self.grid),
            refiner.views.memory.distances(grid, rows),
            refiner.views.others.rarity(grid, rows, own=""),
        )
        return refiner.refined(fine_inputs(rgb, maps), coarse)

    def _moved(self, scores: Tensor) -> Tensor:
        """Scores at the detector's operating point."""
        shift = self.detector.shift
        return (score_logits(scores) + shift).sigmoid().float() if shift else scores


def resizing(length: int, wanted: int) -> np.ndarray:
    """(wanted, length): `resize_map` along one side, as a matrix."""
    if length == wanted:
        return np.eye(length, dtype=np.float32)
    lines = Image.fromarray(np.eye(length, dtype=np.float32)).resize((length, wanted), Image.Resampling.BILINEAR)
    return np.asarray(lines)
