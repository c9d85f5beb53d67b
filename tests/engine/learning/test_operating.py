"""The operating point: a threshold goes on meaning what it meant."""

import numpy as np
import pytest

from engine.detector.detector import Said
from engine.detector.prompts import default_prompts
from engine.learning.operating import keep_meaning
from tests.engine.learning.making import without_surface

MAP = np.zeros((2, 2), np.float32)


@pytest.fixture(scope="module")
def detector(tiny_engine):
    return tiny_engine.detector_of(default_prompts(tiny_engine.backbone))


def corrected(labels):
    return [without_surface(seed, label) for seed, label in enumerate(labels)]


def said(*scores):
    return [Said(score, MAP) for score in scores]


def called(some, threshold):
    return [one.score >= threshold for one in some]


def test_where_a_person_chose_the_threshold_as_many_normal_images_are_called_anomalous(detector):
    labels = [0, 0, 0, 0, 1, 1]
    before, after = said(0.1, 0.2, 0.3, 0.7, 0.6, 0.9), said(0.02, 0.05, 0.03, 0.04, 0.2, 0.3)
    shifted, point, moved = keep_meaning(detector, after, before, corrected(labels), 0.5, True)
    assert point.false_alarms == (0.25, 0.25)
    assert point.recall == (1.0, 1.0)
    assert called(moved, 0.5) == [False, True, False, False, True, True]
    assert shifted.shift > 0 and point.threshold == 0.5


def test_a_threshold_that_called_nothing_normal_anomalous_goes_on_doing_so(detector):
    before, after = said(0.1, 0.2, 0.9), said(0.6, 0.7, 0.65)
    _, point, moved = keep_meaning(detector, after, before, corrected([0, 0, 1]), 0.8, True)
    assert point.false_alarms == (0.0, 0.0) and called(moved, 0.8)[:2] == [False, False]
    assert point.recall == (1.0, 0.0)  # said, not hidden: this version finds no more at that price


def test_a_threshold_that_nobody_chose_is_put_where_it_parts_best(detector):
    before, after = said(0.1, 0.2, 0.3, 0.4), said(0.01, 0.02, 0.05, 0.06)
    _, point, moved = keep_meaning(detector, after, before, corrected([0, 0, 1, 1]), 0.5, False)
    assert (point.recall, point.false_alarms) == ((0.0, 1.0), (0.0, 0.0))
    assert called(moved, 0.5) == [False, False, True, True]
    assert moved[1].score == pytest.approx(1 - moved[2].score, abs=1e-6)  # in the middle of the gap


@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize("label", [0, 1])
def test_with_one_label_the_share_that_is_called_anomalous_stays(detector, chosen, label):
    before, after = said(0.1, 0.2, 0.6, 0.7), said(0.8, 0.9, 0.85, 0.95)
    _, point, moved = keep_meaning(detector, after, before, corrected([label] * 4), 0.5, chosen)
    assert sum(called(moved, 0.5)) == 2
    assert (point.recall, point.false_alarms) == ((None, (0.5, 0.5)) if label == 0 else ((0.5, 0.5), None))


def test_a_shift_leaves_the_order_of_scores(detector):
    after = said(0.3, 0.1, 0.9, 0.5)
    _, _, moved = keep_meaning(detector, after, said(0.2, 0.2, 0.2, 0.2), corrected([0, 0, 1, 1]), 0.5, False)
    assert np.argsort([one.score for one in moved]).tolist() == np.argsort([one.score for one in after]).tolist()


def test_what_the_detector_says_from_now_on_is_shifted_as_what_it_said(detector):
    after = said(0.3, 0.9)
    shifted, _, moved = keep_meaning(detector, after, said(0.2, 0.2), corrected([0, 1]), 0.5, False)
    by_shift = [1 / (1 + np.exp(-(np.log(one.score / (1 - one.score)) + shifted.shift))) for one in after]
    assert [one.score for one in moved] == pytest.approx(by_shift, abs=1e-6)


def test_scores_that_are_nearly_sure_keep_their_order_and_their_share(detector):
    """A good image head says 1e-5 and 9e-6 of normal images: a threshold still parts one from the other."""
    before, after = said(0.2, 0.6, 0.1, 0.9), said(9e-6, 1e-5, 2e-6, 1 - 1e-5)
    _, point, moved = keep_meaning(detector, after, before, corrected([0, 0, 0, 1]), 0.5, True)
    assert point.false_alarms == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert called(moved, 0.5) == [False, True, False, True]
