"""Thresholds and probabilities from labelled values, compared with what can be counted by hand or by scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from workers.thresholds.calibrating import (
    ENOUGH,
    Evidence,
    at_false_alarm_rate,
    best_f1,
    count_values,
    fit_probability,
    outcome_at,
    what_it_rests_on,
)


def evidence(normal: list[float], anomalous: list[float]) -> Evidence:
    return Evidence(count_values(normal), count_values(anomalous), np.zeros(1000), len(normal), len(anomalous))


@pytest.mark.parametrize("value, step", [(0.0, 0), (0.29, 290), (0.57, 570), (0.5705, 570), (0.9999, 999), (1.0, 999)])
def test_a_value_is_counted_in_the_step_that_begins_at_or_below_it(value: float, step: int) -> None:
    assert np.flatnonzero(count_values([value])).tolist() == [step]


def test_a_threshold_finds_what_is_at_or_above_it() -> None:
    outcome = outcome_at(evidence([0.1, 0.2, 0.6, 0.3], [0.2, 0.5, 0.9]), 0.5)
    assert outcome.recall == pytest.approx(2 / 3)
    assert outcome.precision == pytest.approx(2 / 3)
    assert outcome.f1 == pytest.approx(2 / 3)
    assert outcome.false_alarm_rate == pytest.approx(1 / 4)


def test_the_best_f1_is_that_of_every_threshold_tried() -> None:
    draw = np.random.default_rng(0)
    normal, anomalous = draw.beta(2, 5, 80).round(3), draw.beta(4, 3, 40).round(3)
    scores, labels = np.append(normal, anomalous), np.repeat([0, 1], [80, 40])
    tried = max(f1_score(labels, scores >= step / 1000 - 1e-9) for step in range(1000))
    best = best_f1(evidence(normal.tolist(), anomalous.tolist()))
    assert best is not None and best.f1 == pytest.approx(tried)


def test_between_labels_that_are_apart_the_best_threshold_is_in_the_middle() -> None:
    best = best_f1(evidence([0.1, 0.3], [0.7, 0.8]))
    assert best is not None and best.f1 == 1.0
    assert best.threshold == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("rate, false_alarms", [(0.0, 0), (0.1, 10), (0.055, 5)])
def test_a_false_alarm_rate_is_kept_with_the_lowest_threshold(rate: float, false_alarms: int) -> None:
    chosen = at_false_alarm_rate(evidence([k / 100 for k in range(100)], [0.5]), rate)
    assert chosen is not None and chosen.false_alarm_rate == pytest.approx(false_alarms / 100)
    assert chosen.threshold == pytest.approx((99 - false_alarms) / 100 + 0.001)


def test_without_a_label_there_is_nothing_to_choose_by() -> None:
    assert best_f1(evidence([0.1], [])) is None
    assert at_false_alarm_rate(evidence([], [0.9]), 0.05) is None
    assert at_false_alarm_rate(evidence([1.0], []), 0.0).threshold == 1.0  # type: ignore[union-attr]


def test_probabilities_are_those_of_the_images() -> None:
    """Scores are drawn so that P(anomalous | score) is known; the fit must find it."""
    draw = np.random.default_rng(1)
    scores = draw.uniform(0.05, 0.95, 4000)
    truth = 1 / (1 + np.exp(-(2.0 * np.log(scores / (1 - scores)) - 1.0)))
    anomalous = draw.random(4000) < truth
    fitted = fit_probability(evidence(scores[~anomalous].tolist(), scores[anomalous].tolist()))
    assert fitted is not None and fitted.images == 4000
    for score in (0.2, 0.5, 0.8):
        expected = 1 / (1 + np.exp(-(2.0 * np.log(score / (1 - score)) - 1.0)))
        assert fitted.of(score) == pytest.approx(expected, abs=0.04)


def test_labels_that_are_wholly_apart_do_not_make_anyone_certain() -> None:
    fitted = fit_probability(evidence([0.2] * ENOUGH, [0.8] * ENOUGH))
    assert fitted is not None
    assert 0.8 < fitted.of(0.8) < 0.97 and 0.03 < fitted.of(0.2) < 0.2


def test_few_images_are_not_called_calibrated_and_what_is_missing_is_told() -> None:
    few = evidence([0.1] * 3, [0.9] * ENOUGH)
    assert fit_probability(few) is None
    assert what_it_rests_on(few) == (
        "Not calibrated yet: there are 3 normal images and 10 anomalous images. Accept or correct 7 more normal."
    )


def test_scores_that_go_the_wrong_way_give_no_probability() -> None:
    wrong = evidence([0.8] * 20, [0.2] * 20)
    assert fit_probability(wrong) is None
    assert "do not go with anomalies" in what_it_rests_on(wrong, separable=False)
