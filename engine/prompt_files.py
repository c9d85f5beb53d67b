"""Prompt files: ours (safetensors with metadata), and the reference's `.pth`, read without running code."""

import io
import json
import zipfile

import safetensors.torch
import torch
from safetensors import SafetensorError

from engine.backbone import Backbone
from engine.errors import PromptError
from engine.prompts import Prompts, check_sizes, default_prompts

_FORMAT = "anomalyloop-prompts-1"
_TENSORS = ("normal_context", "anomalous_context", "deep_tokens")
_FACTS = ("backbone_name", "backbone_fingerprint", "state_word", "note")
# All facts under one key: safetensors writes several in any order, and the same prompts must give the same bytes.
_KEY = "prompts"


def prompts_to_bytes(prompts: Prompts) -> bytes:
    """The prompts as a safetensors file, with what they were tuned for in its metadata."""
    tensors = {name: getattr(prompts, name).contiguous() for name in _TENSORS}
    facts = {"format": _FORMAT, **{name: str(getattr(prompts, name)) for name in _FACTS}}
    return safetensors.torch.save(tensors, {_KEY: json.dumps(facts)})


def prompts_from_bytes(data: bytes) -> Prompts:
    """Read a file that `prompts_to_bytes` wrote. Raises PromptError on anything else."""
    try:
        tensors = safetensors.torch.load(data)
        metadata = _metadata(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise PromptError(f"This is not a safetensors file, or it is damaged ({error}).") from error
    if metadata.get("format") != _FORMAT or set(tensors) != set(_TENSORS) or not set(_FACTS) <= set(metadata):
        raise PromptError("This safetensors file holds no AnomalyLoop prompts. Import a file that was exported here.")
    shapes_fit = (
        tensors["normal_context"].ndim == 2
        and tensors["normal_context"].shape == tensors["anomalous_context"].shape
        and tensors["deep_tokens"].ndim == 3
        and tensors["deep_tokens"].shape[2] == tensors["normal_context"].shape[1]
    )
    if not shapes_fit or not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise PromptError("The prompt file's tensors have impossible shapes or values. Export it anew.")
    return Prompts(
        normal_context=tensors["normal_context"].float(),
        anomalous_context=tensors["anomalous_context"].float(),
        deep_tokens=tensors["deep_tokens"].float(),
        **{name: metadata[name] for name in _FACTS},
    )


def _metadata(data: bytes) -> dict[str, str]:
    header_size = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + header_size]).get("__metadata__", {}).get(_KEY, "{}"))


def prompts_from_reference(data: bytes, backbone: Backbone) -> Prompts:
    """Read a checkpoint in the format that the reference implementation saves and releases.

    The format doesn't say which backbone it was made for: sizes are checked, and the caller vouches for the rest.

    Raises:
        PromptError: not that format, holding more than tensors (nothing in it is run), or of other sizes.
    """
    try:
        saved = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        state = saved["prompt_learner"]
        normal, anomalous = state["ctx_pos"][0, 0].float(), state["ctx_neg"][0, 0].float()
        deep_names = sorted((n for n in state if n.startswith("compound_prompts_text.")), key=_last_number)
        deep = [state[name].float() for name in deep_names]
    except Exception as error:  # pickle, zip and torch each raise their own
        raise PromptError(
            "This is not a checkpoint of AnomalyCLIP's format that can be read safely: it must hold tensors only, "
            f"under prompt_learner ({type(error).__name__}). No code in it was run."
        ) from error
    prompts = Prompts(
        normal_context=normal,
        anomalous_context=anomalous,
        deep_tokens=torch.stack(deep) if deep else torch.zeros(0, 1, normal.shape[1]),
        backbone_name=backbone.info.name,
        backbone_fingerprint=backbone.info.fingerprint,
        note="a checkpoint in the reference implementation's format",
    )
    check_sizes(backbone, prompts)
    return prompts


def _last_number(name: str) -> int:
    return int(name.rsplit(".", 1)[1])


def read_prompts(data: bytes, backbone: Backbone) -> Prompts:
    """Read either format and check that it belongs to the backbone. Raises PromptError."""
    if zipfile.is_zipfile(io.BytesIO(data)) or data[:1] == b"\x80":
        return prompts_from_reference(data, backbone)
    prompts = prompts_from_bytes(data)
    prompts.check_backbone(backbone)
    check_sizes(backbone, prompts)
    return prompts


def shipped_prompts(backbone: Backbone) -> Prompts:
    """What a backbone starts with: the prompts that come with it, or where none do, plain words.

    Raises:
        PromptError: the file that comes with it is damaged or belongs to another backbone.
    """
    if backbone.prompts_file is None:
        return default_prompts(backbone)
    return read_prompts(backbone.prompts_file.read_bytes(), backbone)
