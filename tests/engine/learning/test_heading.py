"""Heads: what is added to the prompts' direction, layer by layer."""

import numpy as np
import torch
from torch.nn import functional as F

from engine.detector.heads import Heads
from engine.detector.scoring import probabilities
from engine.evaluation.metrics.of_arrays import auroc
from engine.features.image_features import ImageFeatures
from engine.learning.corrections import Correction
from engine.learning.heading import fit_heads

LAYERS, WIDTH, SIDE = 2, 16, 6
TEXT = F.normalize(torch.randn(2, WIDTH, generator=torch.Generator().manual_seed(0)), dim=-1)
# Where anomalous patches lie, a direction of each layer's own: no one direction of the prompts tells both.
DIRECTIONS = F.normalize(torch.randn(LAYERS, WIDTH, generator=torch.Generator().manual_seed(1)), dim=-1)


def corrected(seed, label):
    """An image whose upper half is anomalous, or none of it."""
    generator = torch.Generator().manual_seed(seed)
    marked = torch.zeros(SIDE, SIDE)
    marked[: SIDE // 2] = label
    patches = torch.randn(LAYERS, SIDE * SIDE, WIDTH, generator=generator)
    patches = F.normalize(patches, dim=-1) + marked.flatten()[None, :, None] * DIRECTIONS[:, None]
    whole = torch.randn(WIDTH, generator=generator) + 6 * label * DIRECTIONS[0]
    features = ImageFeatures(F.normalize(whole, dim=0).half(), F.normalize(patches, dim=-1).half())
    return Correction(str(seed), features, label, marked)


def seen(heads, one):
    """P(anomalous) of the image, and of the patches (L, n)."""
    whole, patches = one.features.global_feature[None].float(), one.features.patch_features[:, None].float()
    image, layers = heads.probabilities(whole, patches, TEXT)
    return float(image), layers[:, 0, :, 1]


def nothing():
    return Heads(torch.zeros(LAYERS, WIDTH), torch.zeros(LAYERS), torch.zeros(WIDTH), torch.zeros(()))


def test_heads_of_zeros_say_what_the_prompts_say():
    one = corrected(0, 1)
    image, layers = seen(nothing(), one)
    assert torch.allclose(layers, probabilities(one.features.patch_features.float(), TEXT)[..., 1], atol=1e-5)
    by_prompts = probabilities(one.features.global_feature.float()[None], TEXT)[0, 1]
    assert abs(image - float(by_prompts)) < 1e-5


def test_fitted_heads_tell_patches_of_other_images_apart_in_every_layer():
    heads = fit_heads([corrected(seed, seed % 2) for seed in range(12)], TEXT, seed=0)
    unseen = corrected(101, 1)
    for number in range(LAYERS):
        before, after = (
            auroc(unseen.marked.numpy(), seen(one, unseen)[1][number].numpy()) for one in (nothing(), heads)
        )
        assert before < 0.8 and after > 0.95


def test_the_images_own_head_tells_images_apart():
    heads = fit_heads([corrected(seed, seed % 2) for seed in range(12)], TEXT, seed=0)
    unseen = [corrected(seed, seed % 2) for seed in range(100, 120)]
    labels = np.array([one.label for one in unseen])
    before, after = (auroc(labels, np.array([seen(one, of)[0] for of in unseen])) for one in (nothing(), heads))
    assert before < 0.8 and after > 0.9


def test_where_everything_is_normal_there_is_nothing_to_tell_apart():
    heads = fit_heads([corrected(seed, 0) for seed in range(4)], TEXT, seed=0)
    assert not heads.directions.any() and not heads.image_direction.any()


def test_more_corrections_may_move_a_head_further():
    lengths = [
        float(fit_heads([corrected(seed, seed % 2) for seed in range(count)], TEXT, seed=0).directions.norm())
        for count in (2, 20)
    ]
    assert lengths[0] < lengths[1]
