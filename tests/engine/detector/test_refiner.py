"""A refiner's numbers, however they are computed, against the formulas written out."""

import pytest
import torch
from torch.nn import functional as F

from engine.detector.memory import memory_patches, on_one_scale
from engine.detector.refiner import FINE
from engine.features.image_features import surface_of
from tests.engine.conftest import picture
from tests.engine.detector.making import random_refiner


@pytest.fixture(params=[(96, 96), (300, 100)])
def features(engine, request):
    width, height = request.param
    return engine.encode([picture(3, width=width, height=height)], surface=True)[0]


@pytest.fixture
def refiner(engine):
    return random_refiner(engine.info.embed_dim, torch.Generator().manual_seed(1))


def raised(values, size):
    return F.interpolate(values[None].contiguous(), size=size, mode="bilinear", align_corners=False)[0]


def written_out(refiner, fine, coarse):
    """(h, w): the inputs of each pixel on the fine grid, standardised, through each network by itself."""
    inputs = torch.cat([fine, raised(coarse, fine.shape[1:])]).flatten(1).T
    inputs = (inputs - refiner.mean) / refiner.deviation
    first, first_bias, second, second_bias, third, third_bias = refiner.layers
    answers = []
    for number in range(len(first)):
        hidden = (inputs @ first[number] + first_bias[number]).relu()
        hidden = (hidden @ second[number] + second_bias[number]).relu()
        answers.append((hidden @ third[number] + third_bias[number])[:, 0])
    prompts = fine[-1].flatten()
    logit = prompts * (1 - refiner.share) + (prompts + sum(answers) / len(answers) + refiner.offset) * refiner.share
    return logit.sigmoid().view(fine.shape[1:])


@pytest.mark.parametrize("images", [1, 3])
def test_maps_are_those_of_the_networks_written_out(refiner, images):
    draw = torch.Generator().manual_seed(images)
    fine = torch.randn(images, FINE, 24, 136, generator=draw)
    coarse = torch.randn(images, refiner.views.coarse_channels, 12, 68, generator=draw)
    expected = torch.stack([written_out(refiner, *pair) for pair in zip(fine, coarse, strict=True)])
    assert torch.allclose(refiner.refined(fine, coarse), expected, atol=1e-5, rtol=0)


def test_an_images_map_is_that_of_its_inputs_written_out(refiner, features):
    prompts_map = torch.rand(surface_of(features).pixels.shape[:2]).numpy()
    expected = written_out(refiner, refiner.views.fine(features, prompts_map), refiner.views.coarse(features))
    assert torch.allclose(torch.from_numpy(refiner.refine(features, prompts_map)), expected, atol=1e-5, rtol=0)


def test_coarse_inputs_are_textures_and_patch_features_raised_to_the_finest_textures(refiner, features):
    first, second, third = (one.float() for one in surface_of(features).textures)
    patches = features.patch_features.float().mean(dim=0).T.unflatten(1, features.grid)
    views, size = refiner.views, first.shape[1:]
    components = [
        torch.einsum("dhw,dk->khw", values - basis.mean[:, None, None], basis.components)
        for basis, values in ((views.textures, third), (views.patches, patches))
    ]
    expected = torch.cat([first, *(raised(one, size) for one in (second, *components))])
    found = views.coarse(features)[: len(expected)]
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()), rtol=0)


def test_a_patch_of_the_memory_is_the_mean_of_its_neighbourhood(features):
    _, middle, coarse = (one.float()[None] for one in surface_of(features).textures)
    both = torch.cat([on_one_scale(F.avg_pool2d(middle, 2)), on_one_scale(coarse)], dim=1)
    around = F.pad(both, (1, 1, 1, 1), mode="replicate")[0].unfold(1, 3, 1).unfold(2, 3, 1).mean(dim=(3, 4))
    _, found = memory_patches(features)
    assert torch.allclose(found, F.normalize(around.flatten(1).T, dim=1), atol=1e-5, rtol=0)
