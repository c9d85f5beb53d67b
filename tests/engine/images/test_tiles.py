"""Large images in tiles: every pixel is covered, no seam shows, and what is no larger than a tile is scored as ever."""

import itertools

import numpy as np
import pytest
from PIL import Image

from engine.backbone.loading import load_backbone
from engine.detector.detector import Detector, Scored
from engine.detector.prompt_files import shipped_prompts
from engine.detector.prompts import random_prompts
from engine.images.tiles import score_in_tiles, tile_boxes, together
from engine.serving.engine import Engine
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


def test_the_map_has_the_size_of_the_image_and_the_score_is_of_the_whole_and_its_tiles(engine):
    detector = engine.detector_of(random_prompts(engine.backbone, 1))
    image = picture(2, width=200, height=120)

    tiled = score_in_tiles(engine, image, detector, side=80)

    parts = [image, *(image.crop(box) for box in tile_boxes(200, 120, 80))]
    scores = [engine.score_images([part], detector)[0].score for part in parts]
    assert tiled.score == pytest.approx(together(scores[0], scores[1:]), abs=1e-5)
    assert min(scores) <= tiled.score <= max(scores)
    assert tiled.anomaly_map.shape == (120, 200)


def by_number_of_tiles(spread: float, images: int = 4000) -> dict[int, tuple[float, float]]:
    """Of images of noise alone: mean score, and mean of the highest of the whole and its tiles."""
    random = np.random.default_rng(0)
    found = {}
    for tiles in (1, 4, 16, 64):
        scores = 1 / (1 + np.exp(-random.normal(-1, spread, (images, 1 + tiles))))
        ours = [together(one[0], list(one[1:])) for one in scores]
        found[tiles] = float(np.mean(ours)), float(scores.max(axis=1).mean())
    return found


def test_the_score_does_not_rise_with_the_number_of_tiles_where_all_of_them_are_noise():
    found = by_number_of_tiles(spread=0.5)
    ours, highest = ([one[which] for one in found.values()] for which in (0, 1))
    assert max(ours) - min(ours) < 0.01
    assert highest[-1] - highest[0] > 0.15  # what it would be otherwise


@pytest.mark.parametrize("side", [832, 480, 256], ids=["1 tile", "4 tiles", "16 tiles"])
def test_drawn_normal_images_score_as_one_tile_of_them_does(side, embedded):
    engine, detector = embedded
    tiled, alone = [], []
    for image in (clouds(seed) for seed in range(6)):
        tiled.append(score_in_tiles(engine, image, detector, side).score)
        parts = [image, *(image.crop(box) for box in tile_boxes(*image.size, side))]
        whole, *tiles = (one.score for one in engine.score_images(parts, detector))
        alone.append((whole + np.mean(tiles)) / 2)
    assert np.mean(tiled) == pytest.approx(np.mean(alone), abs=0.08)  # the highest is 0.25 above


def test_a_defect_that_one_tile_of_many_shows_counts():
    assert together(0.2, [0.2] * 15 + [0.98]) > 0.6
    assert together(0.2, [0.2] * 16) == pytest.approx(0.2)
    assert together(0.98, [0.2] * 16) > 0.9  # and so does what is only seen from afar
    assert 0 < together(0.0, [0.0, 1.0]) < 1


@pytest.fixture(scope="module")
def embedded() -> tuple[Engine, Detector]:
    engine = Engine(load_backbone("embedded"), image_size=128)
    return engine, engine.detector_of(shipped_prompts(engine.backbone))


def clouds(seed: int, side: int = 832) -> Image.Image:
    """Noise that looks alike at every scale, so that a tile is an image like the whole."""
    random = np.random.default_rng(seed)
    grey, cell = np.full((side, side), random.uniform(80, 170)), side
    while cell >= 4:
        count = -(-side // cell) + 1
        noise = Image.fromarray(random.normal(0, 8, (count, count)).astype(np.float32))
        grey = grey + np.asarray(noise.resize((count * cell, count * cell), Image.Resampling.BICUBIC))[:side, :side]
        cell //= 2
    return Image.fromarray(grey.clip(0, 255).astype(np.uint8))


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
