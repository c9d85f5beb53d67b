"""The pixels that a refiner learns from, and those that are judged."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from engine.features.image_features import surface_of
from engine.learning.pixels import has_marked, seen_pixels
from engine.learning.views import find_views
from tests.engine.learning.making import corrections


@pytest.fixture(scope="module")
def some(tiny_engine):
    return corrections(tiny_engine, [1, 0, 1])


@pytest.fixture(scope="module")
def views(some):
    return find_views(some[1:], seed=0)


@pytest.fixture(scope="module")
def prompts_map(tiny_engine, some):
    from engine.detector.prompts import default_prompts

    detector = tiny_engine.detector_of(default_prompts(tiny_engine.backbone))
    return tiny_engine.score([some[0].features], detector)[0].anomaly_map


def seen(correction, views, prompts_map, count=300):
    return next(seen_pixels([correction], views, [prompts_map], count, torch.Generator().manual_seed(0)))


def with_cells(correction, cells, value):
    """The same image, marked in a few cells of its surface alone."""
    marked = torch.zeros(surface_of(correction.features).pixels.shape[:2])
    for row, column in cells:
        marked[row, column] = value
    return replace(correction, marked=marked)


def as_the_refiner_sees(correction, views, prompts_map):
    """(h, w, C): both grids of inputs on the fine one, as `Refiner.refine` raises them."""
    fine, coarse = views.fine(correction.features, prompts_map), views.coarse(correction.features)
    raised = F.interpolate(coarse[None], size=fine.shape[1:], mode="bilinear", align_corners=False)[0]
    return torch.cat([fine, raised]).permute(1, 2, 0)


@pytest.mark.parametrize("share", [0.15, 0.02])  # 0.02: one px in 50, on an image of 13,000 px
def test_a_hairline_that_fills_no_cell_by_half_is_learnt_as_anomalous(some, views, prompts_map, share):
    cells = [(40, column) for column in range(30, 50)]
    pixels, grid = seen(with_cells(some[0], cells, share), views, prompts_map)
    assert int((pixels.marked == 1).sum()) == len(cells)
    assert has_marked([pixels], [0])
    assert float(grid.marked.max()) <= share + 1e-6  # it is judged by the area that it has


def test_cells_that_are_neither_surely_are_not_learnt_from(some, views, prompts_map):
    both = with_cells(some[0], [(40, 30)], 1.0)
    both.marked[60, 60] = 0.3
    pixels, _ = seen(both, views, prompts_map)
    assert sorted(set(pixels.marked.tolist())) == [0.0, 1.0]


def test_a_third_is_anomalous_where_there_are_so_many(some, views, prompts_map):
    pixels, _ = seen(some[0], views, prompts_map, count=90)
    assert len(pixels.prompts) == 90 and int((pixels.marked >= 0.5).sum()) == 30
    few, _ = seen(with_cells(some[0], [(40, 30)], 1.0), views, prompts_map, count=90)
    assert len(few.prompts) == 90 and int((few.marked >= 0.5).sum()) == 1


def test_at_the_chosen_pixels_the_inputs_equal_what_the_refiner_sees(some, views, prompts_map):
    expected = as_the_refiner_sees(some[0], views, prompts_map)
    for row, column in ((0, 0), (41, 17), (expected.shape[0] - 1, expected.shape[1] - 2)):
        pixels, _ = seen(with_cells(some[0], [(row, column)], 1.0), views, prompts_map)
        assert torch.allclose(pixels.inputs[0].float(), expected[row, column], rtol=2e-3, atol=2e-3)


def test_judged_is_every_second_pixel_with_the_same_inputs(some, views, prompts_map):
    _, grid = seen(some[0], views, prompts_map)
    expected = as_the_refiner_sees(some[0], views, prompts_map)[1::2, 1::2].flatten(0, 1)
    assert torch.allclose(grid.inputs.float(), expected, rtol=2e-3, atol=2e-3)
    assert torch.equal(grid.marked, some[0].marked[1::2, 1::2].flatten())


def test_of_an_image_without_a_mask_nothing_is_learnt_but_its_pixels_are_seen(some, views, prompts_map):
    nobody_said_where = replace(some[0], marked=None)
    pixels, grid = seen(nobody_said_where, views, prompts_map)
    assert pixels is None and len(grid.prompts) > 0


def test_of_a_normal_image_all_pixels_are_normal(some, views, prompts_map):
    pixels, _ = seen(some[1], views, prompts_map)
    assert not has_marked([pixels], [0]) and len(pixels.prompts) == 300


def test_a_correction_does_not_meet_itself_in_the_memory(some, prompts_map):
    """With itself in it, its patches lie at no distance from the memory's; that would teach what no new image shows."""
    known = find_views(some, seed=0)
    normal_distance = -4  # the last inputs: distances to normal and anomalous patches, and twice rarity
    _, without = seen(some[1], known, prompts_map)
    _, with_itself = seen(replace(some[1], key="another"), known, prompts_map)
    assert with_itself.inputs[:, normal_distance].mean() < without.inputs[:, normal_distance].mean()
