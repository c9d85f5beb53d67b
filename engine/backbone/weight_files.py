"""Files of a CLIP's weights: open_clip's; OpenAI's own archives; and ours, without token rows that are all zero."""

import hashlib
import zipfile
from functools import cache
from pathlib import Path

import open_clip
import torch
from open_clip.model import CLIP
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

_NO_WEIGHTS = ("input_resolution", "context_length", "vocab_size")  # numbers that OpenAI's archives hold as tensors
_TABLE, _ROWS, _VALUES = "token_embedding.weight", "token_embedding.rows", "token_embedding.values"


def pack_tokens(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same weights with the token table (49,408, width) as its rows that are not zero and their numbers.

    A model trained on few words has few of them: the table would be most of its file.
    """
    table = weights[_TABLE]
    rows = table.ne(0).any(dim=1).nonzero().flatten()
    others = {name: tensor for name, tensor in weights.items() if name != _TABLE}
    return {**others, _ROWS: rows.int(), _VALUES: table[rows].contiguous()}


def load_weights(model: CLIP, file: Path) -> None:
    """Put the weights of a file into the model: packed ones, or whatever open_clip reads.

    OpenAI's archives hold code: one is read only when its sum is that of a file that OpenAI published.

    Raises:
        ValueError: an archive with code in it that OpenAI did not publish.
        Exception: of torch, pickle, safetensors or the file system: the file can't be read safely or doesn't fit.
    """
    weights = _packed(file)
    if weights is None and is_openai_archive(file):
        model.load_state_dict(_openai_weights(file))
        return
    if weights is None:
        open_clip.load_checkpoint(model, str(file), weights_only=True)
        return
    table = torch.zeros_like(model.token_embedding.weight, dtype=weights[_VALUES].dtype)
    table[weights.pop(_ROWS).long()] = weights.pop(_VALUES).to(table.device)
    model.load_state_dict({**weights, _TABLE: table})


def _packed(file: Path) -> dict[str, Tensor] | None:
    """The tensors of a packed file; None where it is of another kind."""
    try:
        with safe_open(file, "pt") as opened:  # the names alone: a file that is not ours is read by open_clip, once
            is_packed = _ROWS in list(opened.keys())
    except SafetensorError:
        return None
    return load_file(file) if is_packed else None


def is_openai_archive(file: Path) -> bool:
    """Whether a file is of the kind that OpenAI published its models as: TorchScript, a zip with code in it."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _openai_weights(file: Path) -> dict[str, Tensor]:
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found not in published_by_openai():
        raise ValueError(
            "it is a TorchScript archive, which holds code, and none that OpenAI published; export its state_dict as "
            "safetensors"
        )
    state = torch.jit.load(file, map_location="cpu").state_dict()
    return {name: tensor.float() for name, tensor in state.items() if name not in _NO_WEIGHTS}


@cache
def published_by_openai() -> frozenset[str]:
    """The sums of OpenAI's own archives: open_clip's addresses of them have them in their path."""
    urls = (open_clip.get_pretrained_url(model, "openai") for model in open_clip.list_models())
    return frozenset(url.split("/")[-2] for url in urls if "openaipublic" in url)
