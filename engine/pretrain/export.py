"""A trained model as the files that the product loads: float16 weights and a configuration with their sha256."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from open_clip.model import CLIP
from safetensors.torch import save

from engine.backbone.weight_files import pack_tokens
from engine.pretrain.model import IMAGE_SIZE

NAME = "embedded"
DESCRIPTION = (
    "A tiny CLIP (10.6 million parameters) trained only on drawn images: it finds cracks, scratches, spots and stains "
    "on surfaces; it is weaker on medical pictures, and poor on missing, chipped or misplaced parts, until you have "
    "corrected some images."
)


def export(model: CLIP, out: Path, *, layers: Sequence[int], dpam_layer: int, model_cfg: dict[str, Any]) -> None:
    """Write embedded.safetensors (open_clip's names, the token table packed) and embedded.json into `out`."""
    weights = {name: tensor.to("cpu", torch.float16).contiguous() for name, tensor in model.state_dict().items()}
    weights.pop("attn_mask", None)
    data = save(pack_tokens(weights))
    config = {
        "name": NAME,
        "description": DESCRIPTION,
        "model_cfg": model_cfg,
        "image_size": IMAGE_SIZE,
        "layers": list(layers),
        "dpam_layer": dpam_layer,
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    (out / f"{NAME}.safetensors").write_bytes(data)
    (out / f"{NAME}.json").write_text(json.dumps(config, indent=2) + "\n")
