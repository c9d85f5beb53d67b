"""The fingerprint of a CLIP: what all features, prompts and versions that were made with it are told apart by."""

import hashlib
import json
from dataclasses import asdict
from typing import Any

import torch
from open_clip.model import CLIP
from open_clip.transformer import Transformer
from torch import Tensor

from engine.images.preprocessing import CLIPS_OWN, Preprocessing


def fingerprint_of(model: CLIP, facts: list[Any], unlike: dict[str, Any]) -> str:
    """sha256 over every tensor's name, shape and float32 bytes, and over what decides the features' meaning.

    Facts that are as open_clip has them where nothing is said are left out: those models keep their fingerprint when
    a new kind of fact is added, and no version of theirs is lost.
    """
    digest = hashlib.sha256(json.dumps([*facts, unlike] if unlike else facts, sort_keys=True).encode())
    tensors: dict[str, Tensor] = model.state_dict()
    for name in sorted(tensors):
        tensor = tensors[name].detach().float().cpu().contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def unlike_others(model: CLIP, preprocessing: Preprocessing, tokenizer: dict[str, Any] | None) -> dict[str, Any]:
    """What no tensor tells, by name, where it is not as open_clip has it when a configuration says nothing."""
    visual = model.visual
    found = {
        "activation": (_activation(visual.transformer), "GELU"),
        "text activation": (_activation(model.transformer), "GELU"),
        "head width": (_head_width(visual.transformer), 64),
        "text head width": (_head_width(model.transformer), 64),
        "norms": (sorted({norm.eps for norm in model.modules() if isinstance(norm, torch.nn.LayerNorm)}), [1e-5]),
        "preprocessing": (asdict(preprocessing), asdict(CLIPS_OWN)),
        "tokenizer": (tokenizer or {}, {}),
        "context": (model.context_length, 77),
        "pooling": ([visual.pool_type, model.text_pool_type], ["tok", "argmax"]),
    }
    return {name: value for name, (value, usual) in found.items() if value != usual}


def _activation(tower: Transformer) -> str:
    """Of the blocks' MLPs, by its class; with what its constructor was told."""
    block: Any = tower.resblocks[0]
    activation = block.mlp.gelu
    return type(activation).__name__ + (f"({activation.extra_repr()})" if "tanh" in activation.extra_repr() else "")


def _head_width(tower: Transformer) -> int:
    block: Any = tower.resblocks[0]
    attention = block.attn
    return attention.embed_dim // attention.num_heads
