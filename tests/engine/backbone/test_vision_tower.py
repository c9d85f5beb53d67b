"""The two-stream tower beyond the golden numbers: options, layers, and towers that don't fit."""

import pytest
import torch
from open_clip.model import CLIP
from open_clip.transformer import QuickGELU

from engine.backbone.vision_tower import TwoStreamVision, fold_quick_gelu, resample_positions
from engine.errors import BackboneError
from tests.tiny_backbone import MODEL_CFG


@pytest.fixture(scope="module")
def images():
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def plain_attention(block, tokens, chosen):
    """The block's attention written out, with one of q, k, v compared with itself."""
    attention = block.attn
    query, key, value = (tokens @ attention.in_proj_weight.T + attention.in_proj_bias).chunk(3, dim=-1)
    compared = {"qq": query, "kk": key, "vv": value}[chosen]
    heads = attention.num_heads

    def split(x):
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    weights = (split(compared) @ split(compared).transpose(-1, -2) * split(value).shape[-1] ** -0.5).softmax(dim=-1)
    return attention.out_proj((weights @ split(value)).transpose(1, 2).flatten(2))


@torch.no_grad()
@pytest.mark.parametrize("attention", ["vv", "qq", "kk"])
def test_the_local_stream_compares_what_the_option_says(backbone, images, attention):
    visual = backbone.model.visual
    tower = TwoStreamVision(visual, dpam_layer=2, attention=attention)
    tokens = visual._embeds(images)
    for block in visual.transformer.resblocks[:-1]:
        tokens = block(tokens)
    last = visual.transformer.resblocks[-1]
    expected = visual.ln_post(tokens + plain_attention(last, last.ln_1(tokens), attention)) @ visual.proj

    found = tower(images, [4]).patch_features[4]

    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_quick_gelu_folded_into_the_weights_changes_nothing_but_the_rounding(images):
    torch.manual_seed(0)
    visual = CLIP(**{**MODEL_CFG, "quick_gelu": True}).visual
    tower = TwoStreamVision(visual, dpam_layer=3)
    before = tower(images, [2, 4])

    fold_quick_gelu(visual)
    fold_quick_gelu(visual)  # nothing is left to fold
    after = tower(images, [2, 4])

    assert not any(isinstance(module, QuickGELU) for module in visual.modules())
    torch.testing.assert_close(after.global_features, before.global_features, rtol=1e-5, atol=1e-6)
    for layer in (2, 4):
        torch.testing.assert_close(after.patch_features[layer], before.patch_features[layer], rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_a_compiled_block_gives_the_same_features_for_batches_of_any_size():
    visual = CLIP(**{**MODEL_CFG, "vision_cfg": {**MODEL_CFG["vision_cfg"], "layers": 1}}).visual  # compiled once
    plain, compiled = (TwoStreamVision(visual, dpam_layer=0) for _ in range(2))
    compiled.compile_blocks()
    for count in (1, 3):
        batch = torch.randn(count, 3, 32, 32, generator=torch.Generator().manual_seed(count))
        expected, found = plain(batch, [1]), compiled(batch, [1])
        torch.testing.assert_close(found.global_features, expected.global_features, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(found.patch_features[1], expected.patch_features[1], rtol=1e-4, atol=1e-5)


def test_positions_that_are_being_learnt_are_not_kept(images):
    visual = CLIP(**MODEL_CFG).visual
    learning = TwoStreamVision(visual, dpam_layer=3)
    larger = torch.nn.functional.interpolate(images, size=48)
    with torch.no_grad():
        before = learning(larger, [4]).global_features
        visual.positional_embedding.mul_(2)
        assert not torch.equal(learning(larger, [4]).global_features, before)


@torch.no_grad()
def test_off_is_plain_clip(backbone, images):
    visual = backbone.model.visual
    features = TwoStreamVision(visual, dpam_layer=3, attention="off")(images, [4])
    tokens = visual.transformer(visual._embeds(images))
    torch.testing.assert_close(features.patch_features[4], visual.ln_post(tokens) @ visual.proj, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(features.global_features, tokens[:, 0] @ visual.proj, rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_the_global_feature_does_not_depend_on_the_local_stream(backbone, images):
    visual = backbone.model.visual
    plain = TwoStreamVision(visual, dpam_layer=-1)(images, [4]).global_features
    for dpam_layer in (2, 3, 5):
        found = TwoStreamVision(visual, dpam_layer)(images, [4]).global_features
        torch.testing.assert_close(found, plain, rtol=1e-4, atol=1e-5)


def test_a_layer_that_is_not_there_is_refused(backbone, images):
    with pytest.raises(ValueError, match="within 1…4"):
        backbone.vision(images, [5])


def test_a_tower_with_pooling_by_attention_is_refused():
    pooled = CLIP(**{**MODEL_CFG, "vision_cfg": {**MODEL_CFG["vision_cfg"], "attentional_pool": True}})
    with pytest.raises(BackboneError, match="plain vision transformer"):
        TwoStreamVision(pooled.visual, dpam_layer=2)


def test_positions_keep_the_class_row_and_the_model_unchanged():
    positions = torch.randn(1 + 16, 8)
    before = positions.clone()
    resampled = resample_positions(positions, (4, 4), (6, 6))
    assert resampled.shape == (37, 8)
    torch.testing.assert_close(resampled[0], positions[0])
    torch.testing.assert_close(positions, before)
