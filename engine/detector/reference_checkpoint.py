"""The reference implementation's checkpoints (`.pth`), read without running anything that is in them."""

import hashlib
import io
import zipfile
from dataclasses import replace

import torch

from engine.backbone.clip import Backbone
from engine.detector.prompts import Prompts, check_sizes
from engine.errors import PromptError

# The checkpoints that its authors evaluate with, by their git object ids.
_RELEASED = {
    "c90f1d9d92d158b436a8fc193f984d4cec8b1fc8": "9_12_4_multiscale/epoch_15.pth, tuned on VisA's test split",
    "72adc786e031b49ea288ba5f815f0d38cf158708": "9_12_4_multiscale_visa/epoch_15.pth, tuned on MVTec AD's test split",
}
_RELEASED_WIDTH = 768
_RELEASED_FOR = "ViT-L-14-336-quickgelu/openai"


def is_torch_file(data: bytes) -> bool:
    """Whether a file begins as torch writes them: a zip archive, or a pickle as before version 1.6."""
    return data[:2] == b"PK" or data[:1] == b"\x80"


def prompts_of_checkpoint(data: bytes) -> Prompts:
    """Read a checkpoint in the format that the reference implementation saves and releases.

    The format says neither which backbone it was made for, which stays empty, nor which data it was tuned on; the
    released checkpoints are known.

    Raises:
        PromptError: damaged, not that format, or holding more than tensors (nothing in it is run).
    """
    if data[:2] == b"PK" and not zipfile.is_zipfile(io.BytesIO(data)):
        raise PromptError(
            f"This checkpoint (.pth) is damaged: it has {len(data):,} bytes, and its end is missing. "
            "Copy or download it anew."
        )
    try:
        saved = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        state = saved["prompt_learner"]
        normal, anomalous = state["ctx_pos"][0, 0].float(), state["ctx_neg"][0, 0].float()
        deep_names = sorted((n for n in state if n.startswith("compound_prompts_text.")), key=_last_number)
        deep = [state[name].float() for name in deep_names]
        return Prompts(
            normal_context=normal,
            anomalous_context=anomalous,
            deep_tokens=torch.stack(deep) if deep else torch.zeros(0, 1, normal.shape[1]),
            backbone_name="",
            backbone_fingerprint="",
            note=_note(data),
        )
    except Exception as error:  # pickle, zip and torch each raise their own
        raise PromptError(
            "This is not a checkpoint of AnomalyCLIP's format that can be read safely: it must hold tensors only, "
            f"under prompt_learner ({type(error).__name__}). No code in it was run."
        ) from error


def _last_number(name: str) -> int:
    return int(name.rsplit(".", 1)[1])


def _note(data: bytes) -> str:
    name = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
    if name in _RELEASED:
        return f"the reference's released {_RELEASED[name]}, for {_RELEASED_FOR}"
    return "a checkpoint in the reference implementation's format; it doesn't say which data it was tuned on"


def for_backbone(prompts: Prompts, backbone: Backbone) -> Prompts:
    """A checkpoint's prompts as the backbone's own. Raises PromptError where sizes say that it was made for another."""
    try:
        check_sizes(backbone, prompts)
    except PromptError as error:
        if prompts.normal_context.shape[1] != _RELEASED_WIDTH:
            raise
        raise PromptError(f"{error} The reference's released checkpoints are for {_RELEASED_FOR}.") from error
    return replace(prompts, backbone_name=backbone.info.name, backbone_fingerprint=backbone.info.fingerprint)


def likely_backbone(prompts: Prompts) -> str:
    """What can be said of the backbone that a checkpoint was made for."""
    width = prompts.normal_context.shape[1]
    if width == _RELEASED_WIDTH:
        return f"not said; a text tower 768 wide, as that of {_RELEASED_FOR}, which the reference uses"
    return f"not said; a text tower {width} wide"
