"""The two-stream vision tower: image tensor → global feature and patch features of several layers.

DPAM (paper, section 3.3): in the later blocks, a second, local stream attends by value–value similarity, so that
patches keep their own meaning; the original stream goes on unchanged and gives the global feature.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from open_clip.transformer import QuickGELU, ResidualAttentionBlock, VisionTransformer
from torch import Tensor, nn
from torch.nn import functional as F

from engine.backbone.attention import attend
from engine.errors import BackboneError

Attention = Literal["vv", "qq", "kk", "off"]
# How the class token goes to the joint space: straight, as in the reference, which its prompts are tuned for; or
# through `ln_post` first, as CLIP was trained, which plain words need.
ClassToken = Literal["straight", "normed"]
CLASS_TOKENS: tuple[ClassToken, ...] = ("straight", "normed")
_QUICK_GELU = 1.702


@dataclass(frozen=True)
class VisionFeatures:
    """What the tower says of a batch, float32; none of it is normalised.

    Attributes:
        global_features: (B, D), the class token in the joint space, without `ln_post`: the reference's.
        normed_features: (B, D), the same after `ln_post`: CLIP's own.
        patch_features: block number (from 1) → (B, 1 + n, D), class token first.
    """

    global_features: Tensor
    normed_features: Tensor
    patch_features: dict[int, Tensor]


class TwoStreamVision(nn.Module):
    """An open_clip vision transformer with a local stream beside the original one.

    Args:
        visual: open_clip's vision transformer (class token, learnt position embedding).
        dpam_layer: n replaces the attention of the last n − 1 blocks, as the reference counts; −1, 0 or 1: none.
        attention: what the local stream compares: values (the paper), queries, keys; `off` is plain CLIP.

    Raises:
        BackboneError: the tower is of a kind that the method doesn't fit.
    """

    def __init__(self, visual: VisionTransformer, dpam_layer: int, attention: Attention = "vv") -> None:
        super().__init__()
        check_tower(visual)
        self.visual = visual
        self.attention: Attention = attention
        blocks = len(visual.transformer.resblocks)
        replaced = 0 if attention == "off" else min(max(dpam_layer - 1, 0), blocks)
        self.first_local_block = blocks - replaced
        self._run_block = self._block
        self._kept_positions: dict[tuple[int, int], Tensor] = {}

    def compile_blocks(self) -> None:
        """Let torch.compile fuse what lies between a block's matrix products; the first batch waits for it."""
        self._run_block = torch.compile(self._block, dynamic=True)

    def forward(self, images: Tensor, layers: Sequence[int]) -> VisionFeatures:
        """Encode images (B, 3, s, s), normalised by CLIP's mean and deviation; `layers` count blocks from 1.

        Features are float32, whatever the blocks compute in.
        """
        count = len(self.visual.transformer.resblocks)
        wanted = set(layers)
        if not wanted or min(wanted) < 1 or max(wanted) > count:
            raise ValueError(f"layers {sorted(wanted)} are not within 1…{count}")
        patch_features = {}
        for number, (original, local) in enumerate(self.blocks(images), start=1):
            if number in wanted:
                patch_features[number] = self._to_joint_space(original if local is None else local)
        token = original[:, 0]
        return VisionFeatures(token @ self.visual.proj, self.visual.ln_post(token) @ self.visual.proj, patch_features)

    def blocks(self, images: Tensor) -> Iterator[tuple[Tensor, Tensor | None]]:
        """What each block makes of the images: both streams' tokens (B, 1 + n, width); no local one before DPAM's.

        Where there is a local stream, the last block's original one is its class token alone: nothing reads the others.
        """
        blocks = self.visual.transformer.resblocks
        original, local = self._embed(images), None
        for number, block in enumerate(blocks, start=1):
            if number == self.first_local_block + 1:
                local = original
            original, local = self._run_block(block, original, local, is_last=number == len(blocks))
            yield original, local

    def _embed(self, images: Tensor) -> Tensor:
        visual = self.visual
        patches = visual.conv1(images)
        positions = self._positions((patches.shape[-2], patches.shape[-1]))
        tokens = patches.flatten(2).transpose(1, 2)
        class_token = visual.class_embedding.to(tokens.dtype).expand(tokens.shape[0], 1, -1)
        return visual.ln_pre(torch.cat([class_token, tokens], dim=1) + positions.to(tokens.dtype))

    def _positions(self, grid: tuple[int, int]) -> Tensor:
        """The position embedding (1 + h·w, width) on this grid; kept for good, unless it is being learnt.

        A recording on a GPU goes on reading the tensor that it saw, so that no kept one may be given up.
        """
        learnt = self.visual.positional_embedding
        kept = self._kept_positions.get(grid)
        if kept is None:
            kept = resample_positions(learnt, self.visual.grid_size, grid)
            if not (learnt.requires_grad or torch.compiler.is_compiling()):  # an export's tensors hold no numbers
                self._kept_positions[grid] = kept
        return kept

    def _block(
        self, block: ResidualAttentionBlock, original: Tensor, local: Tensor | None, *, is_last: bool
    ) -> tuple[Tensor, Tensor | None]:
        """One block for both streams; they share its weights, and the local stream has no MLP."""
        query, key, value = _query_key_value(block, original)
        if local is not None:
            compared = {"vv": value, "qq": query, "kk": key}[self.attention]
            local = local + block.ls_1(_attend(block, compared, compared, value))
            if is_last:
                original, query = original[:, :1], query[:, :, :1]
        return _after_attention(block, original, _attend(block, query, key, value)), local

    def _to_joint_space(self, tokens: Tensor) -> Tensor:
        dtype = _dtype(self.visual.transformer.resblocks[0])
        return (self.visual.ln_post(tokens).to(dtype) @ self.visual.proj.to(dtype)).float()


def plain_blocks(visual: VisionTransformer, tokens: Tensor) -> Tensor:
    """CLIP's own blocks, all of them: (B, t, width) → the same."""
    for block in visual.transformer.resblocks:
        tokens = _after_attention(block, tokens, _attend(block, *_query_key_value(block, tokens)))
    return tokens


def check_tower(visual: nn.Module) -> None:
    """Raise BackboneError unless the image tower is a plain vision transformer with a class token."""
    fault = tower_fault(visual)
    if fault:
        raise BackboneError(
            f"This backbone's image tower is not a plain vision transformer with a class token, which the method "
            f"needs: {fault}. Set ANOMALYLOOP_BACKBONE to a ViT of CLIP's structure, such as "
            "ViT-L-14-336-quickgelu/openai."
        )


def tower_fault(visual: nn.Module) -> str:
    """What keeps an image tower from being used, as half a sentence; empty where nothing does."""
    if not isinstance(visual, VisionTransformer):
        return f"it is a {type(visual).__name__}"
    if visual.attn_pool is not None:
        return "it pools its patches by attention"
    if visual.pool_type != "tok":
        return "its image feature is a mean of patches, and its class token was never trained for it"
    if visual.proj is None:
        return "it has no way to the joint space"
    if not all(_is_plain(block) for block in visual.transformer.resblocks):
        return "its blocks attend in another way"
    return ""


def _is_plain(block: nn.Module) -> bool:
    return isinstance(block, ResidualAttentionBlock) and isinstance(block.attn, nn.MultiheadAttention)


def _dtype(block: ResidualAttentionBlock) -> torch.dtype:
    """What the block's matrices are kept in; tokens and norms around them stay float32."""
    return block.attn.in_proj_weight.dtype


def _query_key_value(block: ResidualAttentionBlock, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(B, t, width) → query, key, value, each (B, heads, t, width / heads)."""
    attention = block.attn
    projected = F.linear(block.ln_1(tokens).to(_dtype(block)), attention.in_proj_weight, attention.in_proj_bias)
    heads = projected.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    return heads[0], heads[1], heads[2]


def _attend(block: ResidualAttentionBlock, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """softmax(query · keyᵀ · d^-½) · value, heads joined and projected: (B, t, width)."""
    return block.attn.out_proj(attend(query, key, value).transpose(1, 2).flatten(2))


def _after_attention(block: ResidualAttentionBlock, tokens: Tensor, attended: Tensor) -> Tensor:
    """The block's two additions to the stream: what attention found, and the MLP's."""
    tokens = tokens + block.ls_1(attended)
    hidden = _activate(block.mlp.gelu, block.mlp.c_fc(block.ln_2(tokens).to(_dtype(block))))
    return tokens + block.ls_2(block.mlp.c_proj(hidden))


def _activate(activation: nn.Module, hidden: Tensor) -> Tensor:
    """The MLP's activation, in the memory of `hidden` where it can and no gradient needs it."""
    if isinstance(activation, nn.SiLU) and not torch.is_grad_enabled():
        return F.silu(hidden, inplace=True)
    return activation(hidden)


def fold_quick_gelu(visual: VisionTransformer) -> None:
    """Make the blocks' QuickGELU a SiLU, in place: x·σ(1.702 x) = SiLU(1.702 x) / 1.702, both factors in the weights.

    SiLU is one pass over the MLP's hidden values, QuickGELU three; the tower's results change by float32's rounding.
    """
    for block in visual.transformer.resblocks:
        if isinstance(block.mlp.gelu, QuickGELU):
            block.mlp.c_fc.weight.data.mul_(_QUICK_GELU)
            block.mlp.c_fc.bias.data.mul_(_QUICK_GELU)
            block.mlp.c_proj.weight.data.div_(_QUICK_GELU)
            block.mlp.gelu = nn.SiLU()


def resample_positions(positions: Tensor, trained_grid: Sequence[int], grid: Sequence[int]) -> Tensor:
    """Bring a position embedding (1 + h·w, width) to another patch grid, bilinearly; the class row stays.

    Returns a new tensor: the reference writes into the model, so that there an image depends on the one before.
    """
    if tuple(trained_grid) == tuple(grid):
        return positions
    rows = positions[1:].unflatten(0, tuple(trained_grid)).permute(2, 0, 1)[None]
    resized = F.interpolate(rows.float(), size=tuple(grid), mode="bilinear", align_corners=False)
    return torch.cat([positions[:1], resized[0].flatten(1).T.to(positions.dtype)])
