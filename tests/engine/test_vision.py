"""The two-stream tower beyond the golden numbers: options, layers, and towers that don't fit."""

import pytest
import torch
from open_clip.model import CLIP

from engine.errors import BackboneError
from engine.vision import TwoStreamVision, resample_positions
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
