"""From the name of a model to a plan: its configuration, its preprocessing and where its weights lie.

Nothing is fetched here but the configuration of an `hf-hub:` model, some kB. What the method can't work with is refused
before weights are.
"""

import difflib
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.model import CLIP
from open_clip.transformer import ResidualAttentionBlock
from torch import nn

from engine.backbone.vision_tower import tower_fault
from engine.errors import BackboneError
from engine.images.preprocessing import CLIPS_OWN, Preprocessing

SETTING = "ANOMALYLOOP_BACKBONE"
HUB = "hf-hub:"
_EXAMPLE = "ViT-L-14-336-quickgelu/openai"
# OpenAI's own names of its models, as people write them; the slash may be a dash.
_OPENAI = {
    "ViT-B/32": "ViT-B-32-quickgelu/openai",
    "ViT-B/16": "ViT-B-16-quickgelu/openai",
    "ViT-L/14": "ViT-L-14-quickgelu/openai",
    "ViT-L/14@336px": _EXAMPLE,
}
_ALIASES = _OPENAI | {"ViT-L-14@336px": _EXAMPLE, "ViT-L-14-336px": _EXAMPLE}
# Weights in the hub's repositories, the better ones first.
_HUB_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
_CONFIG_FILE = "open_clip_config.json"
_VOCABULARY = 49_408  # of CLIP's own tokenizer


@dataclass(frozen=True)
class Plan:
    """What is to be loaded.

    Attributes:
        name: in its right spelling.
        model: the configuration's name, for people.
        model_cfg: of open_clip.
        preprocessing: how the model wants its images.
        repo: on the hub; empty for a file.
        files: names of weights in the repository, the first that is there counts.
        tokenizer: what differs from CLIP's own tokenizer, as open_clip names it.
    """

    name: str
    model: str
    model_cfg: dict[str, Any]
    preprocessing: Preprocessing = CLIPS_OWN
    repo: str = ""
    files: tuple[str, ...] = ()
    tokenizer: dict[str, Any] = field(default_factory=dict)


def right_spelling(spec: str) -> str:
    """The setting as this project writes it: OpenAI's own names become open_clip's."""
    return _ALIASES.get(spec.strip(), spec.strip())


def plan_named(model: str, tag: str) -> Plan:
    """One of open_clip's models with one of its tags.

    A tag that was trained with QuickGELU gets it, whichever of the two spellings is asked for.

    Raises:
        BackboneError: no such model or tag, or the method can't work with it.
    """
    config = _known(model)
    tags = open_clip.list_pretrained_tags_by_model(model)
    wanted = tag.lower().replace("-", "_")
    if wanted not in tags:
        raise BackboneError(
            f"open_clip has no weights {tag!r} for {model}; it has: {', '.join(tags) or 'none'}.{_meant(wanted, tags)} "
            f"Change {SETTING}."
        )
    pretrained = open_clip.get_pretrained_cfg(model, wanted)
    if pretrained.get("quick_gelu"):
        config["quick_gelu"] = True
        model = model if model.endswith("-quickgelu") else f"{model}-quickgelu"
    require_fit(model, config)
    repo, _, file = pretrained.get("hf_hub", "").rpartition("/")
    if not repo:
        raise BackboneError(
            f"The weights {tag} of {model} lie on no hub that can be asked. Download them from "
            f"{pretrained.get('url') or 'their authors'}, and set {SETTING} to {model}@FILE."
        )
    return Plan(
        name=f"{model}/{wanted}",
        model=model,
        model_cfg=config,
        preprocessing=_preprocessing(model, pretrained),
        repo=repo,
        files=_with_safe(file) if file else _HUB_FILES,
        tokenizer=_tokenizer(config),
    )


def plan_hub(repo: str, fetch: Callable[[str, str], Path]) -> Plan:
    """A model in a repository of the hub that has open_clip's configuration beside its weights.

    Args:
        repo: `organisation/name`.
        fetch: gives a file of a repository; raises BackboneError.

    Raises:
        BackboneError: what `fetch` raises; or the configuration isn't open_clip's, or the method can't work with it.
    """
    file = fetch(repo, _CONFIG_FILE)
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        config = deepcopy(read["model_cfg"])
        said = read.get("preprocess_cfg", {})
        require_fit(f"{HUB}{repo}", config)
        return Plan(
            name=f"{HUB}{repo}",
            model=f"{HUB}{repo}",
            model_cfg=config,
            preprocessing=_preprocessing(repo, said),
            repo=repo,
            files=_HUB_FILES,
            tokenizer=_tokenizer(config),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackboneError(
            f"{_CONFIG_FILE} of {repo} is not a configuration of open_clip ({type(error).__name__}: {error}). "
            f"Set {SETTING} to a repository that has one, such as {HUB}timm/vit_base_patch16_clip_224.openai."
        ) from error


def plan_file(model: str, file: Path) -> Plan:
    """One of open_clip's models with weights from a file. Raises BackboneError as `plan_named`."""
    model = _ALIASES.get(model, f"{model}/").rpartition("/")[0]
    config = _known(model)
    require_fit(model, config)
    return Plan(f"{model}@{file.name}", model, config, tokenizer=_tokenizer(config))


def require_fit(name: str, config: dict[str, Any]) -> None:
    """Raise BackboneError where the method can't work with a configuration."""
    reason = why_not(config)
    if reason:
        raise BackboneError(
            f"{name} can't be used: {reason}. Set {SETTING} to a plain vision transformer of CLIP's structure, such as "
            f"{_EXAMPLE}. docs/models.md lists all of open_clip's."
        )


def why_not(config: dict[str, Any]) -> str:
    """Why the method can't work with a configuration of open_clip, as half a sentence; empty where it can.

    What the configuration itself says comes first; what is left is built without weights, and looked at.
    """
    reason = _vision_fault(config["vision_cfg"]) or _text_fault(config["text_cfg"])
    if "multimodal_cfg" in config:
        reason = "it is a CoCa, whose image feature is pooled by attention"
    if not reason and config.get("custom_text"):
        reason = "it keeps its text tower in another way than CLIP"
    if reason:
        return reason
    try:
        with torch.device("meta"):
            model = CLIP(**without_loss(config))
    except (TypeError, AssertionError, ValueError) as error:
        return f"open_clip can't build it ({type(error).__name__}: {error})"
    return model_fault(model)


def model_fault(model: nn.Module) -> str:
    """What keeps a model of open_clip from being used, as half a sentence; empty where nothing does."""
    if not isinstance(model, CLIP):
        return f"it is a {type(model).__name__}, and keeps its text tower in another way than CLIP"
    fault = tower_fault(model.visual)
    if fault:
        return fault
    blocks = model.transformer.resblocks
    if model.attn_mask is None or not all(
        isinstance(one, ResidualAttentionBlock) and isinstance(one.attn, nn.MultiheadAttention) for one in blocks
    ):
        return "its text tower is not CLIP's causal transformer, which prompt tuning needs"
    return ""


def without_loss(config: dict[str, Any]) -> dict[str, Any]:
    """What CLIP's constructor takes of a configuration."""
    return {name: value for name, value in config.items() if name != "custom_text"}


def _vision_fault(vision: dict[str, Any]) -> str:
    if vision.get("timm_model_name"):
        return f"its image tower is timm's {vision['timm_model_name']}, not CLIP's vision transformer"
    if isinstance(vision.get("layers"), list | tuple):
        return "its image tower is a ResNet, which has no patches that attend to each other"
    if vision.get("attentional_pool"):
        return "its image feature is pooled by attention"
    if vision.get("pool_type", "tok") != "tok":
        return "its image feature is a mean of patches, and its class token was never trained for it"
    return ""


def _text_fault(text: dict[str, Any]) -> str:
    if text.get("hf_model_name"):
        return f"its text tower is the language model {text['hf_model_name']}, not CLIP's transformer"
    if text.get("hf_tokenizer_name"):
        return f"it reads words by another tokenizer than CLIP's ({text['hf_tokenizer_name']})"
    if text.get("vocab_size", _VOCABULARY) != _VOCABULARY:
        return f"it has a vocabulary of {text['vocab_size']:,} in place of CLIP's {_VOCABULARY:,}"
    if text.get("embed_cls") or text.get("pool_type", "argmax") != "argmax" or text.get("no_causal_mask"):
        return "its text feature is not that of the last token of a causal transformer, as CLIP's is"
    return ""


def _known(model: str) -> dict[str, Any]:
    """The configuration of one of open_clip's models. Raises BackboneError."""
    config = open_clip.get_model_config(model) if model in open_clip.list_models() else None
    if config is None:
        raise BackboneError(
            f"open_clip knows no model {model!r}.{_meant(model, open_clip.list_models())} "
            f"Set {SETTING} to one of `open_clip.list_models()`, such as ViT-L-14-336-quickgelu."
        )
    return config


def untagged(spec: str) -> str:
    """What to say of a setting that is no model with a tag and no file."""
    if spec in open_clip.list_models():
        tags = open_clip.list_pretrained_tags_by_model(spec)
        return f"{spec} is a model without weights: write one of {', '.join(f'{spec}/{tag}' for tag in tags)}."
    return (
        f"{SETTING}={spec!r} is none of: embedded, an open_clip model/tag such as {_EXAMPLE}, {HUB}owner/name, or "
        f"model@file.{_meant(spec, [*_ALIASES, *(f'{model}/{tag}' for model, tag in open_clip.list_pretrained())])}"
    )


def _meant(written: str, known: list[str]) -> str:
    near = difflib.get_close_matches(written, known, 1, 0.6)
    return f" Is {near[0]} meant?" if near else ""


def _with_safe(file: str) -> tuple[str, ...]:
    """A file and, before it, the safetensors of the same name that may lie beside it."""
    stem, _, kind = file.rpartition(".")
    return (f"{stem}.safetensors", file) if kind in ("bin", "pth") else (file,)


def _preprocessing(name: str, said: dict[str, Any]) -> Preprocessing:
    interpolation = said.get("interpolation", CLIPS_OWN.interpolation)
    if interpolation not in ("bicubic", "bilinear"):
        raise BackboneError(
            f"{name} can't be used: its images are to be resized by {interpolation!r} interpolation, and only bicubic "
            "and bilinear are known here."
        )
    red, green, blue = (float(value) for value in said.get("mean", CLIPS_OWN.mean))
    r, g, b = (float(value) for value in said.get("std", CLIPS_OWN.std))
    return Preprocessing((red, green, blue), (r, g, b), interpolation)


def _tokenizer(config: dict[str, Any]) -> dict[str, Any]:
    return dict(config["text_cfg"].get("tokenizer_kwargs") or {})
