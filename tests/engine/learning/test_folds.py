"""In which folds corrections are judged."""

import pytest

from engine.learning.corrections import FOLDS, judging_folds
from tests.engine.learning.making import without_surface


def fold_of(folds, position):
    (number,) = [number for number, fold in enumerate(folds) if position in fold.judged]
    return number


def test_each_correction_is_judged_once_by_a_fold_that_has_not_learnt_from_it():
    folds = judging_folds([without_surface(seed, seed % 2) for seed in range(13)])
    assert len(folds) == FOLDS
    assert sorted(i for fold in folds for i in fold.judged) == list(range(13))
    for fold in folds:
        assert sorted((*fold.training, *fold.judged)) == list(range(13))


def test_labels_are_spread_evenly():
    corrections = [without_surface(seed, seed % 2) for seed in range(20)]
    labels = [[corrections[i].label for i in fold.judged] for fold in judging_folds(corrections)]
    assert [sorted(some) for some in labels] == [[0, 0, 1, 1]] * FOLDS


def test_images_of_one_part_are_judged_together():
    names = [f"kos{part:02}_Part{number}.jpg" for part in range(6) for number in range(2)]
    corrections = [without_surface(seed, seed // 2 % 2, name) for seed, name in enumerate(names)]
    folds = judging_folds(corrections)
    assert all(fold_of(folds, first) == fold_of(folds, first + 1) for first in range(0, 12, 2))


def test_near_duplicates_are_judged_together_whatever_they_are_called():
    corrections = [without_surface(seed, seed % 2, like=seed % 6) for seed in range(12)]
    folds = judging_folds(corrections)
    assert all(fold_of(folds, seed) == fold_of(folds, seed + 6) for seed in range(6))


def test_names_that_say_the_same_of_all_images_tell_no_parts():
    corrections = [without_surface(seed, seed % 2, f"line3_{seed}.jpg") for seed in range(10)]
    assert len(judging_folds(corrections)) == FOLDS


@pytest.mark.parametrize("labels", [[0, 0, 0], [1], [1, 0, 0]])
def test_there_are_no_folds_without_two_anomalous_images(labels):
    assert judging_folds([without_surface(seed, label) for seed, label in enumerate(labels)]) == []


def test_two_anomalous_images_of_one_part_are_not_two():
    names = ["p1_a.png", "p1_b.png", "p2_a.png", "p3_a.png"]
    one_part = [without_surface(seed, int(seed < 2), name) for seed, name in enumerate(names)]
    assert judging_folds(one_part) == []
    two_parts = [without_surface(seed, int(seed in (0, 2)), name) for seed, name in enumerate(names)]
    assert len(judging_folds(two_parts)) == 3


def test_folds_do_not_depend_on_the_order_of_corrections():
    corrections = [without_surface(seed, seed % 2) for seed in range(11)]

    def judged_together(some):
        return {frozenset(some[i].key for i in fold.judged) for fold in judging_folds(some)}

    assert judged_together(corrections) == judged_together(corrections[::-1])
