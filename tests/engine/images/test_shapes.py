"""The shape of the grid that an image is seen in: its proportions, with about as many patches as the paper's square."""

import pytest

from engine.images.shapes import LONGEST, MORE_PATCHES, NEARLY_SQUARE, Grid, grid_for, square
from engine.serving.engine import Engine

SIDES = (8, 32, 37)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("width", "height"), [(64, 64), (640, 480), (480, 640), (160, 100)])
def test_what_is_nearly_square_keeps_the_square(side, width, height):
    assert max(width, height) / min(width, height) <= NEARLY_SQUARE
    assert grid_for(width, height, side) == square(side)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("ratio", [1.7, 2.5, 3.3, 4.0, 9.0, 50.0])
def test_what_is_long_keeps_its_proportions_and_has_some_more_patches(side, ratio):
    grid = grid_for(round(1000 * ratio), 1000, side)
    assert grid.columns / grid.rows == pytest.approx(min(ratio, LONGEST), rel=0.15)
    assert side**2 * 0.8 <= grid.cells <= side**2 * MORE_PATCHES * 1.3


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("width", "height"), [(640, 480), (512, 204), (3000, 100)])
def test_a_turned_image_has_a_turned_grid(side, width, height):
    lying, standing = grid_for(width, height, side), grid_for(height, width, side)
    assert (lying.rows, lying.columns) == (standing.columns, standing.rows)
    assert lying.columns >= lying.rows


def test_a_grid_never_loses_a_side():
    assert min(grid_for(5000, 100, 1)) >= 1


def test_a_grid_times_pixels_is_its_size():
    assert Grid(3, 5).times(8) == (24, 40)
    assert Grid(3, 5).cells == 15


def test_an_engine_that_squashes_sees_squares_whatever_comes(backbone):
    for squashed in ({"squashed": True}, {"reference": True}):
        assert Engine(backbone, **squashed).grid_for(900, 100) == square(8)
    assert Engine(backbone).grid_for(900, 100) != square(8)


def test_features_of_squashed_and_whole_images_are_kept_apart(backbone):
    assert Engine(backbone).features_key != Engine(backbone, squashed=True).features_key
