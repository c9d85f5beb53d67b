"""Anomaly maps: how unsure one is of itself."""

import numpy as np
import pytest

from engine.detector.maps import map_uncertainty


def filled(background: float, peak: float) -> np.ndarray:
    """A 100×100 map with a peak in 2 % of it."""
    values = np.full((100, 100), background, np.float32)
    values[:2] = peak
    return values


@pytest.mark.parametrize("background, peak", [(0.0, 0.0), (0.0, 1.0), (0.4, 1.0)])
def test_a_map_is_sure_of_itself_where_its_highest_values_are_surely_one_or_the_other(background, peak):
    assert map_uncertainty(filled(background, peak)) == pytest.approx(0.0, abs=1e-6)


def test_a_map_whose_highest_values_say_neither_is_unsure():
    assert map_uncertainty(filled(0.0, 0.5)) == pytest.approx(1.0)
    assert map_uncertainty(filled(0.0, 0.1)) == pytest.approx(0.36)
