"""Files of a CLIP's weights: open_clip's, and ours, which leave out the token rows that are all zero."""

from pathlib import Path

import open_clip
import torch
from open_clip.model import CLIP
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

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

    Raises:
        Exception: of torch, pickle, safetensors or the file system: the file can't be read safely or doesn't fit.
    """
    weights = _packed(file)
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
