"""What is promised of a candidate."""

from dataclasses import replace

import pytest

from engine.learning.claiming import expected
from engine.learning.comparison import Comparison

METRICS = ("pixel_ap", "image_auroc")


def found(change, reach):
    """A comparison in which image AUROC changed by so much, ± so much."""
    active = dict.fromkeys(METRICS, 0.5)
    difference = {"pixel_ap": 0.2, "image_auroc": change}
    interval = {"pixel_ap": (0.1, 0.3), "image_auroc": (change - reach, change + reach)}
    candidate = {name: active[name] + difference[name] for name in METRICS}
    return Comparison(candidate, active, difference, interval, {}, gain=0.1, gain_risk=0.0)


def test_what_is_sure_is_promised_in_full():
    sure = found(0.2, 0.0)
    assert expected(sure) == sure


def test_a_change_as_uncertain_as_changes_are_large_counts_half():
    claimed = expected(found(0.2, 1.96 * 0.25))
    assert claimed.difference["image_auroc"] == pytest.approx(0.1)
    assert claimed.candidate["image_auroc"] == pytest.approx(0.6)
    assert claimed.interval["image_auroc"] == pytest.approx((0.1 - 1.96 * 0.25 / 2**0.5, 0.1 + 1.96 * 0.25 / 2**0.5))


def test_the_less_certain_the_less_is_promised_and_never_the_opposite():
    changes = [expected(found(-0.2, reach)).difference["image_auroc"] for reach in (0.0, 0.1, 0.5, 2.0)]
    assert changes == sorted(changes) and changes[-1] < 0


def test_pixels_and_what_is_undefined_stay_as_they_were_found():
    assert expected(found(0.2, 0.3)).difference["pixel_ap"] == 0.2
    undefined = replace(found(0.0, 0.0), interval={"pixel_ap": (0.1, 0.3), "image_auroc": None})
    assert expected(undefined) is undefined
