"""From a setting to a backbone: the embedded one, one of open_clip's by name, one of a hub, or files."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

import torch
from open_clip.model import CLIP

from engine.backbone.clip import Backbone
from engine.backbone.hub import FetchError, Progress, cached, fetch, fetch_small, locate
from engine.backbone.plans import (
    HUB,
    SETTING,
    Plan,
    plan_file,
    plan_hub,
    plan_named,
    right_spelling,
    untagged,
    without_loss,
)
from engine.backbone.precision import Precision, resolve_precision
from engine.backbone.weight_files import is_openai_archive, load_weights
from engine.errors import BackboneError
from engine.images.preprocessing import Preprocessing

WEIGHTS_FOLDER = Path(__file__).parent / "weights"


class _Where(TypedDict):
    device: str
    precision: Precision
    compiled: bool


def load_backbone(spec: str, device: str = "auto", precision: str = "fp32", *, compiled: bool = False) -> Backbone:
    """Load a backbone by its setting.

    Args:
        spec: `embedded`; an open_clip `model/tag` or a repository `hf-hub:owner/name`, whose weights are found in the
            hub's cache or fetched; or `model@file`, where model is an open_clip name, with or without its tag, or the
            path of a `.json` config of ours, and file holds weights under open_clip's names (safetensors, a torch file
            read with `weights_only`, or one of OpenAI's own archives).
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
    model_name, _, file_name = right_spelling(spec).partition("@")
    if file_name and model_name.endswith(".json"):
        return load_config(Path(model_name), weights=Path(file_name), **where)
    plan = plan_of(spec)
    file = Path(file_name) if file_name else fetch_weights(plan)
    _require_file(file)
    return _load_plan(plan, file, where)


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
    """Load a backbone from a config of ours: a JSON with `model_cfg`, `image_size`, `layers`, `dpam_layer`; where it
    differs from CLIP's, `preprocess` (mean, std, interpolation); and `class_token`, how plain words see an image.

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
            preprocessing=_preprocessing(config.get("preprocess", {})),
            plain_class_token=config.get("class_token", "straight"),
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


def _preprocessing(said: dict[str, Any]) -> Preprocessing:
    """Of a config of ours. Raises TypeError on an unknown entry."""
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in said.items()}
    return Preprocessing(**values)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise BackboneError(f"There is no file {path}. Set {SETTING} to a file that exists, or to embedded.")


def plan_of(spec: str) -> Plan:
    """What a setting other than `embedded` and a config of ours names; of a file, without opening it.

    Raises:
        BackboneError: no such model or tag, or one that the method can't work with; an `hf-hub:` name also where its
            configuration can't be fetched.
    """
    spec = right_spelling(spec)
    model, at, file = spec.partition("@")
    if at:
        model = right_spelling(model)
        if "/" not in model:
            return plan_file(model, Path(file))
        named = plan_named(*_with_tag(model))
        return replace(named, repo="", files=())
    if spec.startswith(HUB):
        return plan_hub(spec.removeprefix(HUB), fetch_small)
    return plan_named(*_with_tag(spec))


def _with_tag(spec: str) -> tuple[str, str]:
    model, slash, tag = spec.rpartition("/")
    if not slash or not tag or not model:
        raise BackboneError(untagged(spec))
    return model, tag


def fetch_weights(plan: Plan, progress: Progress = lambda done, total: None) -> Path:
    """The weights of a plan: from the cache where they are there, else from the hub. Raises BackboneError."""
    found = cached(plan.repo, plan.files)
    try:
        return found or fetch(locate(plan.repo, plan.files), progress)
    except FetchError as error:
        raise BackboneError(
            f"The weights of {SETTING}={plan.name} could not be fetched. {error} Or download {plan.files[0]} of "
            f"{plan.repo} elsewhere, and set {SETTING} to {plan.name.removeprefix(HUB)}@FILE."
        ) from error


def _load_plan(plan: Plan, file: Path, where: _Where) -> Backbone:
    config = without_loss(plan.model_cfg)
    if is_openai_archive(file):  # whatever it is called: all of OpenAI's were trained with it
        config["quick_gelu"] = True
    model = CLIP(**config)
    _load_weights(model, file)
    return Backbone(
        model,
        name=plan.name,
        description=_describe(plan.model),
        preprocessing=plan.preprocessing,
        tokenizer=plan.tokenizer,
        plain_class_token="normed",
        **where,
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
