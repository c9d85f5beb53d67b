"""Refiners fitted to marked pixels."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine.detector.maps import resize_map
from engine.detector.prompts import default_prompts
from engine.evaluation.metrics.of_arrays import auroc
from engine.learning import refining
from engine.learning.pixels import Pixels, seen_pixels
from engine.learning.refining import fit_refiners, refined_logits
from engine.learning.views import find_views
from tests.engine.learning.making import correction, corrections


@pytest.fixture(scope="module")
def root(tiny_engine):
    return tiny_engine.detector_of(default_prompts(tiny_engine.backbone))


@pytest.fixture(scope="module")
def learnt_from(tiny_engine):
    return corrections(tiny_engine, [1, 0, 1, 1, 0, 1])


@pytest.fixture(scope="module")
def views(learnt_from):
    return find_views(learnt_from, seed=0)


@pytest.fixture(scope="module")
def pixels(learnt_from, views, root):
    generator = torch.Generator().manual_seed(0)
    maps = [one.anomaly_map for one in root.score([one.features for one in learnt_from])]
    return [some for some, _ in seen_pixels(learnt_from, views, maps, 800, generator)]


@pytest.fixture(scope="module")
def unseen(tiny_engine):
    return correction(tiny_engine, 77, 1)


def prompts_map(root, one):
    return root.score([one.features])[0].anomaly_map


def test_a_refiner_that_learnt_nothing_is_the_prompts_map(views, pixels, root, unseen, monkeypatch):
    monkeypatch.setattr(refining, "_RATE", 0.0)
    (untaught,) = fit_refiners(views, pixels, [range(len(pixels))], seed=0)
    found = prompts_map(root, unseen)
    refined = untaught.refine(unseen.features, found)
    assert np.allclose(refined, resize_map(found, *refined.shape), atol=1e-5)


def test_a_mark_is_found_on_an_image_that_was_not_learnt_from(views, pixels, root, unseen):
    (refiner,) = fit_refiners(views, pixels, [range(len(pixels))], seed=0)
    marked, found = unseen.marked.numpy() > 0.5, prompts_map(root, unseen)
    refined = refiner.refine(unseen.features, found)
    assert auroc(marked, resize_map(found, *refined.shape)) < 0.9 < 0.99 < auroc(marked, refined)


def test_a_seed_says_all_that_is_random(views, pixels):
    fits = [fit_refiners(views, pixels, [range(len(pixels))], seed=seed)[0] for seed in (0, 0, 1)]
    first, again, other = ([*one.layers] for one in fits)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], other[0])


def test_a_fit_sees_nothing_but_its_own_corrections(views, pixels):
    """The marks of others may be what they will; only the scale of the inputs is taken of all."""
    turned = [*pixels[:4], *(Pixels(one.inputs, one.prompts, 1 - one.marked) for one in pixels[4:])]
    first, second = (fit_refiners(views, some, [range(4)], seed=0)[0] for some in (pixels, turned))
    assert all(torch.equal(a, b) for a, b in zip(first.layers, second.layers, strict=True))


def test_refined_logits_are_what_the_refiner_serves_on_the_grid_that_is_judged(views, pixels, root, unseen):
    (refiner,) = fit_refiners(views, pixels, [range(len(pixels))], seed=0)
    found = prompts_map(root, unseen)
    fine, coarse = views.fine(unseen.features, found), views.coarse(unseen.features)
    raised = F.interpolate(coarse[None], size=fine.shape[1:], mode="bilinear", align_corners=False)[0]
    inputs = torch.cat([fine, raised])[:, 1::2, 1::2].flatten(1).T
    served = torch.from_numpy(refiner.refine(unseen.features, found))[1::2, 1::2].flatten()
    exact = refined_logits(refiner, Pixels(inputs, inputs[:, len(fine) - 1], torch.zeros(len(inputs))))
    assert torch.allclose(exact.sigmoid(), served, atol=1e-4)
    [(_, kept)] = seen_pixels([unseen], views, [found], 10, torch.Generator())  # as runs keep them: inputs in float16
    assert torch.allclose(refined_logits(refiner, kept).sigmoid(), served, atol=2e-2)
