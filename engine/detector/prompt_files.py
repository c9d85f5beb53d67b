"""Prompt files: ours (safetensors with metadata), and through `reference_checkpoint` the reference's `.pth`."""

import json
from collections.abc import Mapping

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from engine.backbone.clip import Backbone
from engine.backbone.vision_tower import CLASS_TOKENS
from engine.detector.prompts import Prompts, check_sizes, default_prompts
from engine.detector.reference_checkpoint import for_backbone, is_torch_file, prompts_of_checkpoint
from engine.errors import PromptError

_FORMAT = "anomalyloop-prompts-1"
_TENSORS = ("normal_context", "anomalous_context", "deep_tokens")
_FACTS = ("backbone_name", "backbone_fingerprint", "state_word", "note")
_CLASS_TOKEN = "class_token"  # of files that don't say, as they were before: the reference's
# All facts under one key: safetensors writes several in any order, and the same prompts must give the same bytes.
_KEY = "prompts"


def prompts_to_bytes(prompts: Prompts) -> bytes:
    """The prompts as a safetensors file, with what they were tuned for in its metadata.

    Raises:
        PromptError: values of theirs are no numbers: nothing could read such a file.
    """
    tensors = {name: getattr(prompts, name).contiguous() for name in _TENSORS}
    check_finite(tensors)
    facts = {"format": _FORMAT, **{name: str(getattr(prompts, name)) for name in (*_FACTS, _CLASS_TOKEN)}}
    return safetensors.torch.save(tensors, {_KEY: json.dumps(facts)})


def check_finite(tensors: Mapping[str, Tensor]) -> None:
    """Raises PromptError where a value is no number, so that none is written that nothing could read."""
    for name, tensor in tensors.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise PromptError(
                f"What was learnt holds values that are no numbers (in {name}): the tuning diverged, and nothing is "
                "written. Choose a lower learning rate or fewer epochs, or look for a mask that is wrong."
            )


def prompts_from_bytes(data: bytes) -> Prompts:
    """Read a file that `prompts_to_bytes` wrote. Raises PromptError on anything else."""
    try:
        tensors = safetensors.torch.load(data)
        metadata = _metadata(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise PromptError(f"This safetensors file is damaged ({error}). Copy or export it anew.") from error
    if metadata.get("format") != _FORMAT or set(tensors) != set(_TENSORS) or not set(_FACTS) <= set(metadata):
        raise PromptError("This safetensors file holds no AnomalyLoop prompts. Import a file that was exported here.")
    class_token = next((one for one in CLASS_TOKENS if one == metadata.get(_CLASS_TOKEN, "straight")), None)
    if class_token is None:
        raise PromptError(
            f"The prompt file wants the class token {metadata[_CLASS_TOKEN]!r}, which this version doesn't know. "
            "Update AnomalyLoop."
        )
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
        class_token=class_token,
    )


def _metadata(data: bytes) -> dict[str, str]:
    header_size = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + header_size]).get("__metadata__", {}).get(_KEY, "{}"))


def parse_prompts(data: bytes) -> Prompts:
    """Read either format, whatever backbone it is for; a checkpoint of the reference names none.

    Raises:
        PromptError: neither of them, or damaged; it says which it is.
    """
    if is_torch_file(data):
        return prompts_of_checkpoint(data)
    if data[8:9] != b"{":  # a safetensors file holds its header's length, and then JSON
        raise PromptError(_what_it_is(data))
    return prompts_from_bytes(data)


def _what_it_is(data: bytes) -> str:
    if not data:
        return "The prompt file is empty (0 bytes). Copy or download it anew."
    if data.lstrip()[:1] == b"<":
        return "This is a web page, not the prompt file that it shows. Download the raw file."
    return (
        "This is not a safetensors file of prompts, and not a checkpoint of the reference implementation (.pth) "
        f"either: it begins with {data[:8]!r}. Export or download it anew."
    )


def read_prompts(data: bytes, backbone: Backbone) -> Prompts:
    """Read either format and check that it belongs to the backbone.

    A checkpoint of the reference doesn't say which backbone it is for: its sizes are checked, and the caller vouches
    for the rest.

    Raises:
        PromptError: see `parse_prompts`; or made for another backbone.
    """
    prompts = parse_prompts(data)
    if not prompts.backbone_fingerprint:
        return for_backbone(prompts, backbone)
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
