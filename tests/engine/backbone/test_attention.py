"""Attention by matrix products is fused attention, and is chosen where that has no instructions for bfloat16."""

from collections.abc import Callable, Iterator

import pytest
import torch
from torch.nn import functional as F

from engine.backbone import attention
from engine.backbone.attention import attend, by_products


def drawn(dtype: torch.dtype, tokens: int = 1100) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Query, key and value."""
    query, key, value = torch.randn(3, 2, 3, tokens, 16, generator=torch.Generator().manual_seed(0)).to(dtype)
    return query, key, value


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Which way was taken."""
    taken: list[str] = []

    def watched(name: str, way: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        def called(*tensors: torch.Tensor) -> torch.Tensor:
            taken.append(name)
            return way(*tensors)

        return called

    monkeypatch.setattr(F, "scaled_dot_product_attention", watched("fused", F.scaled_dot_product_attention))
    monkeypatch.setattr(attention, "by_products", watched("products", by_products))
    attention._fuses_bf16.cache_clear()
    yield taken
    attention._fuses_bf16.cache_clear()


@pytest.mark.parametrize("queries", [1100, 1])
def test_products_are_fused_attention_up_to_rounding(queries: int) -> None:
    query, key, value = drawn(torch.float32)
    found = by_products(query[:, :, :queries], key, value)
    assert torch.allclose(found, F.scaled_dot_product_attention(query[:, :, :queries], key, value), atol=1e-5)


def test_what_all_keys_have_in_common_costs_no_precision_in_bfloat16() -> None:
    query, key, value = drawn(torch.bfloat16)
    shifted = key + torch.full((16,), 8.0, dtype=torch.bfloat16)
    exact = F.scaled_dot_product_attention(query.float(), shifted.float(), value.float())
    assert (by_products(query, shifted, value).float() - exact).abs().mean() < 0.01 * exact.abs().mean()


@pytest.mark.parametrize(
    ("known", "dtype", "way"),
    [
        ({"avx512_bf16": True}, torch.bfloat16, "products"),
        ({"avx512_bf16": True, "amx_bf16": True}, torch.bfloat16, "fused"),
        ({"avx512_bf16": True}, torch.float32, "fused"),
    ],
)
def test_products_are_taken_in_bfloat16_where_the_cpu_has_no_amx(
    calls: list[str], monkeypatch: pytest.MonkeyPatch, known: dict[str, bool], dtype: torch.dtype, way: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    with torch.inference_mode():
        attend(*drawn(dtype, 20))
    assert calls == [way]


def test_where_gradients_are_wanted_it_is_fused(calls: list[str]) -> None:
    attend(*drawn(torch.bfloat16, 20))
    assert calls == ["fused"]
