"""Files of detectors: one safetensors file with a format number; prompt files of every kind are detectors too."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from engine.backbone.clip import Backbone
from engine.backbone.texture import CODE_VERSION
from engine.detector.detector import Detector, Said
from engine.detector.heads import Heads
from engine.detector.image_head import ImageHead
from engine.detector.maps import FloatMap
from engine.detector.memory import Memory
from engine.detector.others import Others
from engine.detector.prompt_files import check_finite, prompts_to_bytes, read_prompts
from engine.detector.refiner import Basis, Refiner, Views
from engine.errors import PromptError
from engine.images.depth import DepthRule

FORMAT = 1
# All facts under one key: safetensors writes several in any order, and the same detector must give the same bytes.
_KEY = "detector"
_PROMPTS = "prompts.file"
_BASES = ("patches", "textures")
_LAYERS = 6
_REACH = 9.22  # the logit of 1 − 1e-4


def detector_to_bytes(detector: Detector) -> bytes:
    """The detector as a file: of prompts alone, a prompt file. Raises PromptError where values are no numbers."""
    if detector.parts == ("prompts",) and not (detector.said or detector.shift or detector.depth):
        return prompts_to_bytes(detector.prompts)
    tensors: dict[str, Tensor] = {_PROMPTS: _bytes_tensor(prompts_to_bytes(detector.prompts))}
    facts: dict[str, Any] = {"format": FORMAT, "parts": list(detector.parts), "shift": detector.shift}
    if detector.depth is not None:
        facts["depth"] = str(detector.depth)
    if detector.sees_surface:
        facts["texture"] = CODE_VERSION
    if detector.heads is not None:
        tensors |= _fields(detector.heads, "heads")
    if detector.refiner is not None:
        tensors |= _refiner_tensors(detector.refiner)
        facts |= {"share": detector.refiner.share, "offset": detector.refiner.offset}
        facts["others"] = list(detector.refiner.views.others.identities)
    if detector.image_head is not None:
        tensors |= _fields(detector.image_head, "image_head")
    for number, (key, said) in enumerate(sorted(detector.said.items())):
        tensors[f"said.{number:06d}"] = _to_steps(said.anomaly_map)
        facts.setdefault("said", []).append([key, said.score])
    check_finite(tensors)
    saved = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    return safetensors.torch.save(saved, {_KEY: json.dumps(facts)})


def read_detector(data: bytes, backbone: Backbone, *, reference: bool = False) -> Detector:
    """Read a detector, or a prompt file of either format, and check that it belongs to the backbone.

    Raises:
        PromptError: none of them, damaged, of a newer format, with a part missing or values that are no numbers, or
            made for another backbone.
    """
    facts = _facts(data)
    if facts is None:
        return Detector.of_prompts(backbone, read_prompts(data, backbone), reference=reference)
    with _damage_is_named():
        tensors = safetensors.torch.load(data)
        prompts = read_prompts(_prompts_file(tensors), backbone)
        detector = Detector.of_prompts(backbone, prompts, reference=reference)
        detector = _with_parts(detector, tensors, facts)
        _check(detector, backbone, tensors)
    return detector


def prompts_within(data: bytes) -> bytes:
    """The prompt file in a detector's, whatever backbone it is for; any other file as it is. Raises PromptError."""
    if _facts(data) is None:
        return data
    with _damage_is_named():
        return _prompts_file(safetensors.torch.load(data))


def parts_within(data: bytes) -> tuple[str, ...]:
    """The names of a file's parts; a file that is no detector's has prompts alone. Raises PromptError."""
    facts = _facts(data)
    if facts is None:
        return ("prompts",)
    with _damage_is_named():
        return tuple(facts["parts"])


def _facts(data: bytes) -> dict[str, Any] | None:
    """What a detector's file says of itself; None where it is no detector's. Raises PromptError on another format."""
    if data[8:9] != b"{":
        return None
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        facts = json.loads(header.get("__metadata__", {}).get(_KEY, "null"))
    except (ValueError, AttributeError, TypeError):
        return None  # reading it as prompts says what is wrong
    if not isinstance(facts, dict):
        return None
    if facts.get("format") != FORMAT:
        raise PromptError(
            f"This detector's file has format {facts.get('format')!r}, and this AnomalyLoop reads format {FORMAT}: "
            "another version wrote it. Update AnomalyLoop, or take its prompts alone, there where it was made: "
            "python -m engine prompts import FILE --prompts-only --out PROMPTS."
        )
    return facts


@contextmanager
def _damage_is_named() -> Iterator[None]:
    """Whatever goes wrong while a file is read is a PromptError."""
    try:
        yield
    except KeyError as error:
        raise PromptError(f"This detector's file lacks {error}, one of its parts. Export it anew.") from error
    except (SafetensorError, IndexError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise PromptError(
            f"This detector's file is damaged ({type(error).__name__}: {error}). Copy or export it anew."
        ) from error


def _prompts_file(tensors: dict[str, Tensor]) -> bytes:
    return tensors[_PROMPTS].numpy().tobytes()


def _with_parts(detector: Detector, tensors: dict[str, Tensor], facts: dict[str, Any]) -> Detector:
    parts = facts["parts"]
    if "refiner" in parts and facts["texture"] != CODE_VERSION:
        raise PromptError(
            f"This detector's refiner was learnt from the texture eye's version {facts['texture']}, and this "
            f"AnomalyLoop has version {CODE_VERSION}. Tune again from the same corrections."
        )
    said = {
        key: Said(float(score), _from_steps(tensors[f"said.{number:06d}"]))
        for number, (key, score) in enumerate(facts.get("said", []))
    }
    return replace(
        detector,
        heads=_part(Heads, tensors, "heads") if "heads" in parts else None,
        refiner=_refiner(tensors, facts) if "refiner" in parts else None,
        image_head=_part(ImageHead, tensors, "image_head") if "image head" in parts else None,
        shift=float(facts["shift"]),
        depth=DepthRule.parse(facts["depth"]) if "depth" in facts else None,
        said=said,
    )


def _check(detector: Detector, backbone: Backbone, tensors: dict[str, Tensor]) -> None:
    said = [one.score for one in detector.said.values()]
    refiner = detector.refiner
    numbers = [detector.shift, *said, *((refiner.share, refiner.offset) if refiner else ())]
    finite = all(tensor.isfinite().all() for tensor in tensors.values() if tensor.is_floating_point())
    if not finite or not all(math.isfinite(number) for number in numbers):
        raise PromptError("This detector's file holds values that are no numbers (NaN or infinite). Export it anew.")
    width, layers = backbone.info.embed_dim, len(backbone.info.layers)
    parts = (detector.heads, "heads"), (refiner, "refiner"), (detector.image_head, "image head")
    unfit = [name for part, name in parts if part is not None and not part.fits(width, layers)]
    unfit += ["what was said of corrections"] * any(one.anomaly_map.ndim != 2 for one in detector.said.values())
    if unfit:
        raise PromptError(
            f"This detector's file is damaged: its {' and '.join(unfit)} can't belong to {backbone.info.name}. "
            "Export it anew."
        )


def _refiner_tensors(refiner: Refiner) -> dict[str, Tensor]:
    views = refiner.views
    tensors = {f"refiner.layers.{number}": layer for number, layer in enumerate(refiner.layers)}
    for name in _BASES:
        tensors |= _fields(getattr(views, name), f"refiner.{name}")
    memory = {"refiner.normal": views.memory.normal.half(), "refiner.anomalous": views.memory.anomalous.half()}
    others = {"refiner.others": views.others.patches.half(), "refiner.places": views.others.places}
    return tensors | memory | others | {"refiner.mean": refiner.mean, "refiner.deviation": refiner.deviation}


def _refiner(tensors: dict[str, Tensor], facts: dict[str, Any]) -> Refiner:
    patches, textures = (_part(Basis, tensors, f"refiner.{name}") for name in _BASES)
    memory = Memory(tensors["refiner.normal"].float(), tensors["refiner.anomalous"].float())
    others = Others(tensors["refiner.others"].float(), tensors["refiner.places"].float(), tuple(facts["others"]))
    return Refiner(
        Views(patches, textures, memory, others),
        tensors["refiner.mean"],
        tensors["refiner.deviation"],
        tuple(tensors[f"refiner.layers.{number}"] for number in range(_LAYERS)),
        float(facts["share"]),
        float(facts["offset"]),
    )


def _fields(part: Any, name: str) -> dict[str, Tensor]:
    return {f"{name}.{one.name}": getattr(part, one.name) for one in fields(part)}


def _part(kind: Any, tensors: dict[str, Tensor], name: str) -> Any:
    return kind(**{one.name: tensors[f"{name}.{one.name}"] for one in fields(kind)})


def _bytes_tensor(data: bytes) -> Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def _to_steps(anomaly_map: FloatMap) -> Tensor:
    """A map in 255 even steps of its logit, −9 … 9: what is all but 0 or 1 keeps its order."""
    inside = torch.tensor(anomaly_map, dtype=torch.float64).clamp(1e-4, 1 - 1e-4).logit()
    return ((inside + _REACH) / (2 * _REACH) * 255).round().to(torch.uint8)


def _from_steps(steps: Tensor) -> FloatMap:
    return ((steps.double() / 255 * 2 - 1) * _REACH).sigmoid().float().numpy()
