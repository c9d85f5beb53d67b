"""The image head: learnt from labels, also where nobody says where a defect is."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine.detector.detector import Scored
from engine.evaluation.metrics.of_arrays import auroc
from engine.learning.corrections import judging_folds
from engine.learning.out_of_fold import ImageVoices, image_auroc
from engine.learning.scoring_images import Described, fit_direction, said_of_features, voice_weights
from tests.engine.learning.making import corrections, random_textures, with_textures, without_surface


def of_two_kinds(seed, label):
    """An image that is anomalous as a whole: its global feature leans one way; patches and textures are all alike."""
    one = with_textures(without_surface(seed, label), random_textures(0))
    whole, alike = one.features.global_feature.float(), without_surface(0, label).features.patch_features
    whole[0] += 3 if label else -3
    return replace(
        one, features=replace(one.features, global_feature=F.normalize(whole, dim=0).half(), patch_features=alike)
    )


def flat(count):
    """Prompts that say the same of every image."""
    return [Scored(0.5, np.full((8, 8), 0.5, np.float32)) for _ in range(count)]


def of_two_textures(seed, label):
    """An image whose coarse textures are all lively, but for some that are flat on anomalous ones."""
    textures = random_textures(seed)
    if label:
        textures[2][:40] *= 0.2
    return with_textures(without_surface(seed, label), textures)


def of_two_spreads(seed, label):
    """An image of whose patches a few stick out where it is anomalous, and whose mean patch says nothing of it."""
    one = with_textures(without_surface(seed, label), random_textures(seed))
    patches = one.features.patch_features.float()
    if label:
        patches[:, :2, 0] += 3
        patches[:, 2:4, 0] -= 3
    return replace(one, features=replace(one.features, patch_features=F.normalize(patches, dim=-1).half()))


@pytest.mark.parametrize("kind", [of_two_kinds, of_two_textures, of_two_spreads])
def test_weak_labels_alone_teach_it(kind):
    learnt_from = [kind(seed, seed % 2) for seed in range(24)]
    scored = flat(24)
    maps = [one.anomaly_map for one in scored]
    head = ImageVoices(learnt_from, judging_folds(learnt_from), scored, maps, seed=0).head()
    unseen = [kind(seed, seed % 2) for seed in range(100, 112)]
    scores = np.array([head.score(one.features, 0.5, maps[0]) for one in unseen])
    assert auroc(np.array([one.label for one in unseen]), scores) > 0.9


def test_what_is_said_out_of_fold_is_said_without_the_image():
    """Labels that mean nothing are told apart by no score that had not seen them."""
    found = []
    for seed in range(12):
        described = Described(torch.randn(16, 30, generator=torch.Generator().manual_seed(seed)), (10, 20))
        labels = torch.tensor([0.0, 1.0] * 8)
        said = said_of_features(described, labels, torch.arange(16), seed=0)
        mean, scale, direction = fit_direction(described, labels)
        by_heart = (described.rows - mean) / scale @ direction
        assert auroc(labels.numpy(), by_heart.numpy()) > 0.95
        found.append(auroc(labels.numpy(), said.numpy()))
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)


def test_a_voice_that_tells_nothing_counts_little():
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor([0.0, 1.0] * 20)
    voices = torch.randn(40, 3, generator=generator)
    voices[:, 1] += 4 * labels
    weights, _ = voice_weights(voices, labels)
    assert weights[1] > 3 * weights[0] and weights[1] > 3 * weights[2] and (weights >= 0).all()


def test_a_single_image_says_how_nothing_deviates():
    weights, centre = voice_weights(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([1.0]))
    assert weights.isfinite().all() and centre.tolist() == [1, 2, 3]


def test_the_map_speaks_too(tiny_engine):
    """Where maps light up on anomalous images alone, the score follows them."""
    learnt_from = corrections(tiny_engine, [1, 0] * 4)
    scored = flat(8)
    maps = [np.full((8, 8), 0.8 if one.label else 0.2, np.float32) for one in learnt_from]
    voices = ImageVoices(learnt_from, judging_folds(learnt_from), scored, maps, seed=0)
    head, features = voices.head(), learnt_from[0].features
    assert head.score(features, 0.5, maps[0]) > head.score(features, 0.5, maps[1])
    surface_sized = [np.full((128, 128), 0.8 if one.label else 0.2, np.float32) for one in learnt_from]
    assert image_auroc(learnt_from, voices.said(surface_sized)) == 1.0
