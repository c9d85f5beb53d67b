"""The tiny CLIP: its configuration, and the forward pass that training needs."""

from typing import Any

import torch
from open_clip.model import CLIP
from torch import Tensor
from torch.nn import functional as F

from engine.images.preprocessing import MEAN, STD

MODEL_CFG: dict[str, Any] = {
    "embed_dim": 128,
    "quick_gelu": False,
    "vision_cfg": {"image_size": 128, "patch_size": 8, "width": 192, "head_width": 64, "layers": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 128, "heads": 2, "layers": 3},
}
LAYERS = (5, 6, 7, 8)
DPAM_LAYER = 5
IMAGE_SIZE = 256


def build_model(seed: int, model_cfg: dict[str, Any] = MODEL_CFG) -> CLIP:
    """A new model; token rows start at zero, so that words no caption uses stay silent and compress to nothing."""
    torch.manual_seed(seed)
    model = CLIP(**model_cfg)
    torch.nn.init.zeros_(model.token_embedding.weight)
    return model


def normalised(images: Tensor) -> Tensor:
    """(B, 3, s, s) uint8 → float32 by CLIP's mean and deviation."""
    mean, std = (torch.tensor(values, device=images.device).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (images.float() / 255 - mean) / std


def text_features(model: CLIP, tokens: Tensor) -> Tensor:
    """(n, L) token ids, cut to any length → (n, D) unit vectors; equal to `model.encode_text` on 77 tokens."""
    length = tokens.shape[1]
    x = model.token_embedding(tokens) + model.positional_embedding[:length]
    x = model.ln_final(model.transformer(x, attn_mask=model.attn_mask[:length, :length]))
    ends = x[torch.arange(x.shape[0]), tokens.argmax(dim=1)]
    return F.normalize((ends @ model.text_projection).float(), dim=-1)
