"""Attention of the vision tower: softmax(query · keyᵀ · d^-½) · value, by whichever way is fastest."""

from functools import cache

import torch
from torch import Tensor
from torch.nn import functional as F

# Queries whose weights are worked out together: what they are in between stays in the processor's own cache.
_STRIP = 512


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """(B, heads, t, d) each, fewer queries where not all are wanted → (B, heads, t, d).

    In bfloat16 torch's fused attention takes as long as in float32 on a CPU without AMX, for its inner products are
    float32's. Plain matrix products use the CPU's own for bfloat16: a half to two thirds of the time.
    """
    plain = query.dtype == torch.bfloat16 and query.device.type == "cpu" and not _fuses_bf16()
    if not plain or torch.is_grad_enabled() or torch.compiler.is_compiling():
        return F.scaled_dot_product_attention(query, key, value)
    return by_products(query, key, value)


def by_products(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """The same in matrix products and a softmax, strip by strip of the queries.

    What all keys have in common moves all logits of a query alike, and is taken off: smaller logits are rounded less.
    """
    scaled, keys = query * query.shape[-1] ** -0.5, (key - key.mean(dim=-2, keepdim=True)).transpose(-1, -2)
    return torch.cat([(some @ keys).softmax(dim=-1) @ value for some in scaled.split(_STRIP, dim=-2)], dim=-2)


@cache
def _fuses_bf16() -> bool:
    """Whether fused attention has instructions for bfloat16."""
    return bool(torch.cpu.get_capabilities().get("amx_bf16", False))
