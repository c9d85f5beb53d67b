"""The frozen CLIP: the embedded one, one of open_clip's by name, or a local file; and its fingerprint."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import open_clip
import torch
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor

from engine.errors import BackboneError
from engine.precision import Precision, reduce_blocks, resolve_precision
from engine.vision import Attention, TwoStreamVision, check_tower, fold_quick_gelu
from engine.weight_files import load_weights

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
SETTING = "ANOMALYLOOP_BACKBONE"
# The grid that the paper runs ViT-L/14 on: 518 px = 37 patches.
_PAPER_GRID_SIDE = 518


class _Where(TypedDict):
    device: str
    precision: Precision
    compiled: bool


@dataclass(frozen=True)
class BackboneInfo:
    """What people and files need to know of a backbone.

    Attributes:
        name: as the setting names it, without the folder of a file.
        fingerprint: sha256 of the weights and of all that decides what features mean.
        description: one sentence, what it is good for.
        image_size: side in px that images are resized to unless a setting says otherwise.
        patch_size: side in px of a patch.
        layers: block numbers, from 1, whose patch features make the map.
        dpam_layer: n replaces the attention of the last n − 1 blocks.
        embed_dim: size of the joint space.
        text_width: size of a context vector.
    """

    name: str
    fingerprint: str
    description: str
    image_size: int
    patch_size: int
    layers: tuple[int, ...]
    dpam_layer: int
    embed_dim: int
    text_width: int


class Backbone:
    """A frozen open_clip model, its tokenizer and its facts. Build it with `load_backbone` or from a config.

    `prompts_file` names the prompts that come with it, where some do. `precision` is what the vision tower computes in:
    the fingerprint and the text tower, which prompts are tuned through, do not depend on it. `compiled` lets
    torch.compile fuse the vision tower's blocks.
    """

    def __init__(
        self,
        model: CLIP,
        *,
        name: str,
        description: str,
        image_size: int | None = None,
        layers: tuple[int, ...] | None = None,
        dpam_layer: int | None = None,
        attention: Attention = "vv",
        device: str = "cpu",
        precision: Precision = "fp32",
        compiled: bool = False,
        prompts_file: Path | None = None,
    ) -> None:
        if not isinstance(model, CLIP):
            raise BackboneError(
                f"{name} keeps its text tower in another way than CLIP, and prompt tuning needs CLIP's. "
                f"Set {SETTING} to a model such as ViT-L-14-336-quickgelu/openai."
            )
        check_tower(model.visual)
        self.prompts_file = prompts_file
        self.device = torch.device(device)
        self.precision: Precision = precision
        self.model = model.float().eval().requires_grad_(False).to(self.device)
        self.tokenizer = SimpleTokenizer(context_length=model.context_length)
        blocks = len(model.visual.transformer.resblocks)
        patch = model.visual.patch_size[0]
        chosen_layers = layers or tuple(sorted({max(1, round(blocks * part / 4)) for part in (1, 2, 3, 4)}))
        # The paper: 20 for 24 blocks; other depths keep the share.
        chosen_dpam = round(blocks * 20 / 24) if dpam_layer is None else dpam_layer
        self.vision = TwoStreamVision(model.visual, chosen_dpam, attention)
        self.compiled = compiled
        if compiled:
            self.vision.compile_blocks()
        self.info = BackboneInfo(
            name=name,
            fingerprint=_fingerprint(model, chosen_layers, chosen_dpam, attention),
            description=description,
            image_size=image_size or round(_PAPER_GRID_SIDE / patch) * patch,
            patch_size=patch,
            layers=chosen_layers,
            dpam_layer=chosen_dpam,
            embed_dim=model.visual.output_dim,
            text_width=model.token_embedding.embedding_dim,
        )
        # Last: the fingerprint is of the weights as they came.
        fold_quick_gelu(model.visual)
        reduce_blocks(model.visual, precision)


def load_backbone(spec: str, device: str = "auto", precision: str = "fp32", *, compiled: bool = False) -> Backbone:
    """Load a backbone by its setting.

    Args:
        spec: `embedded`; an open_clip `model/tag`, whose weights open_clip fetches from the hub or finds in its cache;
            or `model@file`, where model is an open_clip name or the path of a `.json` config of ours, and file holds
            weights under open_clip's names (safetensors, or a torch file read with `weights_only`).
        device: `auto` is CUDA where there is one, else the CPU.
        precision: `auto`, `fp32`, `bf16` or `fp16`; see `resolve_precision`.
        compiled: let torch.compile fuse the vision tower's blocks; the first batch waits for it.

    Raises:
        BackboneError: no such model, tag, file, device or precision; damaged weights. Nothing else is loaded instead.
    """
    chosen = resolve_device(device)
    where: _Where = {"device": chosen, "precision": resolve_precision(precision, chosen), "compiled": compiled}
    if spec == "embedded":
        return load_config(WEIGHTS_FOLDER / "embedded.json", **where)
    model_name, at, file_name = spec.partition("@")
    if at:
        if model_name.endswith(".json"):
            return load_config(Path(model_name), weights=Path(file_name), **where)
        return _load_file(model_name, Path(file_name), where)
    model_name, slash, tag = spec.rpartition("/")
    if not slash or not tag:
        raise BackboneError(
            f"{SETTING}={spec!r} is none of: embedded, an open_clip model/tag such as "
            "ViT-L-14-336-quickgelu/openai, or model@file."
        )
    return _load_named(model_name, tag, where)


def resolve_device(device: str) -> str:
    """`auto` → `cuda` or `cpu`. Raises BackboneError when a device that was asked for isn't there."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise BackboneError(
            f"ANOMALYLOOP_DEVICE={device!r} can't be used ({str(error).splitlines()[0]}). Use auto, cpu, cuda or mps."
        ) from error
    return device


def load_config(
    path: Path,
    *,
    weights: Path | None = None,
    device: str = "cpu",
    precision: Precision = "fp32",
    compiled: bool = False,
) -> Backbone:
    """Load a backbone from a config of ours: a JSON with `model_cfg`, `image_size`, `layers`, `dpam_layer`.

    Prompts that come with it lie beside the config, as `<name>_prompts.safetensors`.

    Args:
        path: the JSON; without `weights`, they lie beside it under the same name, as `.safetensors`.
        weights: the weights' file.
        device: torch's name of the device.
        precision: of the vision tower.
        compiled: see `load_backbone`.

    Raises:
        BackboneError: a file is missing or damaged, or the weights' sha256 is not the config's.
    """
    config = _read_config(path)
    file = weights or path.with_suffix(".safetensors")
    _require_file(file)
    if "sha256" in config and hashlib.sha256(file.read_bytes()).hexdigest() != config["sha256"]:
        raise BackboneError(
            f"{file} is not the file that {path.name} was written for (its sha256 differs). Restore both together."
        )
    try:
        model = CLIP(**config["model_cfg"])
        _load_weights(model, file)
        return Backbone(
            model,
            name=config["name"],
            description=config["description"],
            image_size=config.get("image_size"),
            layers=tuple(config["layers"]) if "layers" in config else None,
            dpam_layer=config.get("dpam_layer"),
            device=device,
            precision=precision,
            compiled=compiled,
            prompts_file=prompts if (prompts := path.with_name(f"{path.stem}_prompts.safetensors")).exists() else None,
        )
    except (KeyError, TypeError) as error:
        raise BackboneError(f"The backbone config {path} is incomplete or has an unknown entry: {error}.") from error


def _read_config(path: Path) -> dict[str, Any]:
    _require_file(path)
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise BackboneError(f"The backbone config {path} is not JSON: {error}.") from error


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise BackboneError(f"There is no file {path}. Set {SETTING} to a file that exists, or to embedded.")


def _load_file(model_name: str, file: Path, where: _Where) -> Backbone:
    _require_file(file)
    _require_known(model_name)
    model = open_clip.create_model(model_name, pretrained=None)
    _load_weights(model, file)
    return Backbone(model, name=f"{model_name}@{file.name}", description=_describe(model_name), **where)


def _load_named(model_name: str, tag: str, where: _Where) -> Backbone:
    _require_known(model_name)
    if tag not in open_clip.list_pretrained_tags_by_model(model_name):
        known = ", ".join(open_clip.list_pretrained_tags_by_model(model_name)) or "none"
        raise BackboneError(f"open_clip has no weights {tag!r} for {model_name}; it has: {known}. Change {SETTING}.")
    try:
        model = open_clip.create_model(model_name, pretrained=tag)
    except Exception as error:  # the hub's clients raise errors of many libraries
        raise BackboneError(
            f"The weights of {SETTING}={model_name}/{tag} could not be fetched ({type(error).__name__}: {error}). "
            f"Connect this machine to the hub once, or set {SETTING} to {model_name}@FILE with a downloaded file."
        ) from error
    return Backbone(model, name=f"{model_name}/{tag}", description=_describe(model_name), **where)


def _require_known(model_name: str) -> None:
    if model_name not in open_clip.list_models():
        raise BackboneError(
            f"open_clip knows no model {model_name!r}. Set {SETTING} to one of `open_clip.list_models()`, "
            "such as ViT-L-14-336-quickgelu."
        )


def _load_weights(model: CLIP, file: Path) -> None:
    try:
        load_weights(model, file)
    except Exception as error:  # torch, pickle and safetensors each have their own
        raise BackboneError(
            f"The weights in {file} don't fit the model or can't be read safely "
            f"({type(error).__name__}: {str(error).splitlines()[0]}). Check the model's name in {SETTING}."
        ) from error


def _describe(model_name: str) -> str:
    return (
        f"open_clip's {model_name}, trained on photographs with captions: good at everyday objects, surfaces and parts."
    )


def _fingerprint(model: CLIP, layers: tuple[int, ...], dpam_layer: int, attention: str) -> str:
    """sha256 over every tensor's name, shape and float32 bytes, and over what decides the features' meaning."""
    digest = hashlib.sha256(json.dumps([list(layers), dpam_layer, attention]).encode())
    tensors: dict[str, Tensor] = model.state_dict()
    for name in sorted(tensors):
        tensor = tensors[name].detach().float().cpu().contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
