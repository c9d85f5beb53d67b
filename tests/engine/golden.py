"""The golden numbers: where they lie, and the models that they were computed with."""

import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from open_clip.model import CLIP

from engine.backbone.clip import Backbone
from engine.detector.prompts import Prompts

GOLDEN = Path(os.environ.get("GOLDEN_DIR", Path(__file__).parents[3] / "shared" / "golden"))

requires_golden = pytest.mark.skipif(
    not GOLDEN.is_dir(), reason=f"no golden numbers at {GOLDEN}; set GOLDEN_DIR to the folder that holds them"
)


def load(name: str) -> np.lib.npyio.NpzFile:
    """One file of the golden folder."""
    return np.load(GOLDEN / f"{name}.npz")


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(array))


@cache
def golden_model(model: str) -> CLIP:
    """The CLIP that `<model>_weights.npz` holds, in open_clip's classes."""
    saved = load(f"{model}_weights")
    meta = json.loads(str(saved["meta_json"]))
    vision, text = meta["vision"], meta["text"]
    clip = CLIP(
        embed_dim=meta["embed_dim"],
        quick_gelu=meta["quick_gelu"],
        vision_cfg={
            "image_size": vision["image_size"],
            "layers": vision["layers"],
            "width": vision["width"],
            "head_width": vision["width"] // vision["heads"],
            "patch_size": vision["patch"],
        },
        text_cfg={
            "context_length": text["context"],
            "vocab_size": text["vocab"],
            "width": text["width"],
            "heads": text["heads"],
            "layers": text["layers"],
        },
    )
    state = {name[2:]: tensor(saved[name]).float() for name in saved.files if name.startswith("w:")}
    embedding = torch.zeros(text["vocab"], text["width"])
    embedding[tensor(saved["token_ids"]).long()] = tensor(saved["token_rows"]).float()
    state["token_embedding.weight"] = embedding
    state["logit_scale"] = tensor(saved["logit_scale"]).float()
    clip.load_state_dict(state)
    return clip


def golden_backbone(model: str, *, layers: tuple[int, ...] = (8,), dpam_layer: int = 6) -> Backbone:
    return Backbone(golden_model(model), name=model, description="golden", layers=layers, dpam_layer=dpam_layer)


def golden_prompts(backbone: Backbone, arrays: dict[str, np.ndarray]) -> Prompts:
    """Prompts from arrays under the reference's names."""
    deep = sorted((name for name in arrays if "compound_prompts_text" in name), key=lambda n: int(n.split(".")[1]))
    return Prompts(
        normal_context=tensor(arrays["ctx_pos"])[0, 0],
        anomalous_context=tensor(arrays["ctx_neg"])[0, 0],
        deep_tokens=torch.stack([tensor(arrays[name]) for name in deep]),
        backbone_name=backbone.info.name,
        backbone_fingerprint=backbone.info.fingerprint,
    )


def saved_prompts(backbone: Backbone, model: str) -> Prompts:
    """The prompts of `<model>_prompts.npz`."""
    saved = load(f"{model}_prompts")
    return golden_prompts(backbone, {name: saved[name] for name in saved.files})
