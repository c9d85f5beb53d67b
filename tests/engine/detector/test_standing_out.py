"""What stands out among images of which nobody has said anything."""

import numpy as np
import pytest

from engine.detector.detector import Scored
from engine.detector.standing_out import FEWEST, find_standing
from tests.engine.learning.making import drawn


def seen(engine, marked):
    """Features of noisy parts, some with a bright bar; and prompts that say the same of all."""
    pictures = [drawn(seed, marked=one)[0] for seed, one in enumerate(marked)]
    features = engine.encode(pictures, surface=True)
    return features, [Scored(0.97, np.full((8, 8), 0.9, np.float32)) for _ in features]


def test_what_is_rare_stands_out_and_most_do_not(engine):
    marked = [number % 5 == 4 for number in range(30)]
    features, scored = seen(engine, marked)
    standing = find_standing(features, scored)
    said = [standing.stands_out(one, what) for one, what in zip(features, scored, strict=True)]
    assert said == marked


def test_the_prompts_and_the_map_speak_too(engine):
    features, scored = seen(engine, [False] * 20)
    scored[3] = Scored(0.999, np.full((8, 8), 0.99, np.float32))
    standing = find_standing(features, scored)
    assert standing.stands_out(features[3], scored[3])


@pytest.mark.parametrize("defects", [0, 10, 20])
def test_however_many_defects_there_are_at_least_seven_in_ten_do_not_stand_out(engine, defects):
    features, scored = seen(engine, [number < defects for number in range(20)])
    standing = find_standing(features, scored)
    said = [standing.stands_out(one, what) for one, what in zip(features, scored, strict=True)]
    assert 1 <= sum(said) <= 6


def test_among_a_few_nothing_stands_out(engine):
    features, scored = seen(engine, [False] * (FEWEST - 1))
    with pytest.raises(ValueError, match=f"Among {FEWEST - 1} images"):
        find_standing(features, scored)
