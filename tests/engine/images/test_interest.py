"""Regions of interest at other sizes, and what is left of scores and maps within them."""

import numpy as np
import pytest

from engine.detector.detector import Scored
from engine.detector.interest import full_map, within
from engine.detector.maps import resize_map
from engine.images.interest import Interest
from engine.learning.comparison import held_out


def left_half(height: int = 60, width: int = 80) -> Interest:
    pixels = np.zeros((height, width), bool)
    pixels[:, : width // 2] = True
    return Interest(pixels)


def noisy_map(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0.05, 0.3, (30, 40)).astype(np.float32)


@pytest.mark.parametrize(
    ("height", "width", "fits"), [(60, 80, True), (300, 400, True), (45, 60, True), (80, 60, False)]
)
def test_it_fits_images_of_its_proportions(height: int, width: int, fits: bool) -> None:
    assert left_half().fits(height, width) is fits


def test_it_is_brought_to_other_sizes_by_shares_of_area() -> None:
    pixels = np.zeros((4, 6), bool)
    pixels[1, 1] = pixels[0, 2:4] = pixels[1, 2] = True
    shares = Interest(pixels).shares(2, 3)
    np.testing.assert_allclose(shares, [[0.25, 0.75, 0.0], [0.0, 0.0, 0.0]])
    np.testing.assert_array_equal(Interest(pixels).counting(2, 3), shares >= 0.5)
    np.testing.assert_array_equal(Interest(pixels).counting(8, 12), np.kron(pixels, np.ones((2, 2))) > 0)


def test_outside_the_map_is_0_and_inside_it_is_as_it_was() -> None:
    whole, interest = noisy_map(), left_half()
    inside = within(Scored(0.6, whole), interest).anomaly_map
    for height, width in ((60, 80), (300, 400)):
        cut = full_map(inside, height, width, interest)
        counting = interest.counting(height, width)
        assert not cut[~counting].any()
        np.testing.assert_array_equal(cut[counting], resize_map(whole, height, width)[counting])


def test_a_score_keeps_what_lies_within_and_loses_what_lies_outside() -> None:
    inside, outside = noisy_map(), noisy_map()
    inside[10:14, 5:9] = outside[10:14, 30:34] = 0.95
    assert within(Scored(0.8, inside), left_half()).score == 0.8
    lost = within(Scored(0.8, outside), left_half()).score
    assert lost < 0.2
    assert within(Scored(0.8, outside), Interest(np.ones((60, 80), bool))).score == 0.8
    assert within(Scored(0.8, outside), None).anomaly_map is outside


def test_metrics_count_the_pixels_within_alone() -> None:
    whole = noisy_map()
    marked = np.zeros(whole.shape, np.float32)
    marked[10:14, 5:9] = 1
    whole[10:14, 5:9] = 0.9
    whole[10:14, 30:34] = 0.95  # a false alarm outside
    counting = left_half().shares(*whole.shape)
    measured = held_out(0.8, whole, marked, 1, counting)
    assert measured.within_ap == pytest.approx(1) and held_out(0.8, whole, marked, 1).within_ap < 0.7
    assert measured.normal.sum() + measured.anomalous.sum() == pytest.approx(counting.sum())
