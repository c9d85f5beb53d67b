"""A map of what is rare among a folder's images, before anybody has said anything of one."""

import numpy as np
import pytest

from engine.detector.maps import resize_map
from engine.detector.standing_out import FEWEST
from engine.detector.unlike_others import find_unlike
from tests.engine.learning.making import drawn


def test_what_only_one_image_shows_is_where_the_map_is_highest(engine):
    pictures = [drawn(seed, marked=seed == 3) for seed in range(12)]
    features = engine.encode([picture for picture, _ in pictures], surface=True)
    unlike = find_unlike(features)
    found, marked = unlike.map_of(features[3]), np.asarray(pictures[3][1], bool)
    assert found.dtype == np.float32 and 0 <= found.min() < found.max() < 1
    on_image = resize_map(found, *marked.shape)
    assert on_image[marked].mean() > on_image[~marked].mean() + 0.1
    assert all(unlike.map_of(one).max() < found.max() for number, one in enumerate(features) if number != 3)


def test_a_half_is_what_one_place_in_a_hundred_reaches(engine):
    features = engine.encode([drawn(seed, marked=False)[0] for seed in range(12)], surface=True)
    unlike = find_unlike(features)
    values = np.concatenate([unlike.map_of(one).ravel() for one in features])
    assert np.mean(values >= 0.5) == pytest.approx(0.01, abs=0.005)


def test_among_a_few_nothing_is_unlike(engine):
    features = engine.encode([drawn(seed, marked=False)[0] for seed in range(FEWEST - 1)], surface=True)
    with pytest.raises(ValueError, match=f"Among {FEWEST - 1} images"):
        find_unlike(features)
