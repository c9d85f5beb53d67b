"""A CLIP of CLIP's structure with random weights, small enough to be written and loaded in a moment."""

import hashlib
import json
from pathlib import Path

import torch
from open_clip.model import CLIP
from safetensors.torch import save_file

MODEL_CFG = {
    "embed_dim": 32,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 4, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 3},
}


def write_tiny_backbone(folder: Path, *, seed: int = 0, name: str = "tiny") -> str:
    """Write config and weights; returns the setting that loads them, `<config>.json@<weights>.safetensors`."""
    torch.manual_seed(seed)
    model = CLIP(**MODEL_CFG)
    for block in model.visual.transformer.resblocks:  # open_clip leaves biases at 0: tests should see them
        torch.nn.init.normal_(block.attn.in_proj_bias, std=0.1)
    torch.nn.init.normal_(model.token_embedding.weight, std=0.5)
    weights = folder / f"{name}.safetensors"
    folder.mkdir(parents=True, exist_ok=True)
    save_file({key: tensor.half().contiguous() for key, tensor in model.state_dict().items()}, weights)
    config = {
        "name": name,
        "description": "random weights, for tests",
        "model_cfg": MODEL_CFG,
        "image_size": 64,
        "layers": [2, 3, 4],
        "dpam_layer": 3,
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    (folder / f"{name}.json").write_text(json.dumps(config))
    return f"{folder / name}.json@{weights}"
