"""Large images in tiles: every pixel is covered, no seam shows, and what is no larger than a tile is scored as ever."""

import itertools

import numpy as np
import pytest
from PIL import Image

from engine.detector.detector import Scored
from engine.prompts import random_prompts
from engine.tiles import score_in_tiles, tile_boxes
from tests.engine.conftest import picture


@pytest.mark.parametrize(("width", "height", "side"), [(1000, 700, 256), (257, 256, 256), (4000, 90, 300)])
def test_tiles_cover_the_image_and_overlap_by_a_quarter_or_more(width, height, side):
    boxes = list(tile_boxes(width, height, side))

    covered = np.zeros((height, width), dtype=int)
    for left, top, right, bottom in boxes:
        covered[top:bottom, left:right] += 1
    assert covered.min() >= 1
    lefts = sorted({box[0] for box in boxes})
    assert lefts[-1] + min(side, width) == width
    assert all(right - left <= 0.75 * side + 1 for left, right in itertools.pairwise(lefts))


def test_an_image_of_one_tile_is_scored_as_without_tiles(engine):
    detector = engine.detector_of(random_prompts(engine.backbone, 1))
    image = picture(1, width=90, height=70)

    tiled = score_in_tiles(engine, image, detector, side=90)

    alone = engine.score_images([image], detector)[0]
    assert tiled.score == alone.score
    np.testing.assert_array_equal(tiled.anomaly_map, alone.anomaly_map)


def test_the_score_is_the_highest_and_the_map_has_the_size_of_the_image(engine):
    detector = engine.detector_of(random_prompts(engine.backbone, 1))
    image = picture(2, width=200, height=120)

    tiled = score_in_tiles(engine, image, detector, side=80)

    parts = [image, *(image.crop(box) for box in tile_boxes(200, 120, 80))]
    assert tiled.score == pytest.approx(max(engine.score_images([part], detector)[0].score for part in parts), abs=1e-5)
    assert tiled.anomaly_map.shape == (120, 200)


class SteppedEngine:
    """Says of every image one value that depends on its brightness: neighbouring tiles disagree by much."""

    batch_size = 3

    def score_images(self, images, detector):
        return [Scored(0.5, np.full((8, 8), np.asarray(image).mean() / 255, dtype=np.float32)) for image in images]


def test_where_tiles_disagree_the_map_goes_over_gradually():
    ramp = np.tile(np.linspace(0, 255, 400, dtype=np.uint8), (100, 1))
    found = score_in_tiles(SteppedEngine(), Image.fromarray(ramp), None, side=100).anomaly_map

    steps = np.abs(np.diff(found, axis=1))
    between_tiles = 0.25 / 2  # what two neighbours differ by, halved by the whole's map
    assert steps.max() < between_tiles / 10
    assert np.abs(np.diff(found, axis=0)).max() < 1e-6
