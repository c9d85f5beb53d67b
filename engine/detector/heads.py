"""Heads: a direction and a bias for each layer, and one for the image, as what is added to the prompts' direction."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.detector.scoring import TEMPERATURE


@dataclass(frozen=True)
class Heads:
    """What layers and the image have of their own: logit = p · (t_a − t_n + δ) / τ + b.

    All zeros say what the prompts say.

    Attributes:
        directions: (L, D), δ of each layer.
        biases: (L,), b of each layer.
        image_direction: (D,), δ of the global feature.
        image_bias: (), b of it.
    """

    directions: Tensor
    biases: Tensor
    image_direction: Tensor
    image_bias: Tensor

    def fits(self, width: int, layers: int) -> bool:
        """Whether its tensors belong to features of this width and so many layers."""
        return (
            self.directions.shape == (layers, width)
            and self.biases.shape == (layers,)
            and self.image_direction.shape == (width,)
            and self.image_bias.shape == ()
        )

    def probabilities(self, whole: Tensor, patches: Tensor, text_features: Tensor) -> tuple[Tensor, Tensor]:
        """P(anomalous) of images, and P(normal), P(anomalous) of their patches.

        Args:
            whole: (B, D) global features.
            patches: (L, B, n, D) patch features.
            text_features: (2, D) of the prompts.

        Returns:
            (B,), and (L, B, n, 2).
        """
        device = text_features.device
        shared = text_features[1] - text_features[0]
        image = F.normalize(whole, dim=-1) @ (shared + self.image_direction.to(device)) / TEMPERATURE
        directions = (shared + self.directions.to(device)) / TEMPERATURE
        logits = torch.einsum("lbnd,ld->lbn", F.normalize(patches, dim=-1), directions)
        anomalous = (logits + self.biases.to(device)[:, None, None]).sigmoid()
        return (image + self.image_bias.to(device)).sigmoid(), torch.stack([1 - anomalous, anomalous], dim=-1)
