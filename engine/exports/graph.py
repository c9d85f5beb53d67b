"""AnomalyCLIP with one pair of prompts as one module: a preprocessed image → score and anomaly map."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor, nn
from torch.nn import functional as F

from engine.scoring import SIGMA, patch_probabilities, probabilities, to_grid
from engine.serving import Engine


class ScoringGraph(nn.Module):
    """What `Engine.encode` and `Engine.score` do, in float32 and in tensors throughout.

    Args:
        engine: the backbone at one resolution.
        text_features: (2, D) of the prompts, unit length; they become constants.
    """

    text_features: Tensor
    to_pixels: Tensor

    def __init__(self, engine: Engine, text_features: Tensor) -> None:
        super().__init__()
        self.vision = engine.backbone.vision
        self.layers = engine.info.layers
        self.divisor = 1 if engine.reference else len(self.layers)
        patches = engine.image_size // engine.info.patch_size
        self.register_buffer("text_features", text_features)
        self.register_buffer("to_pixels", patches_to_pixels(patches, engine.image_size).to(text_features.device))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, s, s), normalised by CLIP's mean and deviation → scores (B,) and maps (B, s, s)."""
        features = self.vision(images, self.layers)
        scores = probabilities(features.global_features, self.text_features)[:, 1]
        layers = [patch_probabilities(features.patch_features[layer], self.text_features) for layer in self.layers]
        summed = torch.stack([(one[..., 1:] + 1 - one[..., :1]) / 2 for one in layers]).sum(dim=0)
        maps = self.to_pixels @ to_grid(summed)[:, 0] @ self.to_pixels.T
        return scores, maps / self.divisor


def patches_to_pixels(patches: int, pixels: int) -> Tensor:
    """(pixels, patches): bilinear upsampling and SciPy's Gaussian filter (σ = 4 px, edges reflected) along one side.

    Both are linear and the same along rows and columns, so with this matrix A a map is A · grid · Aᵀ.
    """
    each = torch.eye(patches, dtype=torch.float64)[:, None]
    upsampled = F.interpolate(each, size=pixels, mode="linear", align_corners=False)[:, 0].T
    return torch.from_numpy(gaussian_filter1d(upsampled.numpy(), SIGMA, axis=0).astype(np.float32))
