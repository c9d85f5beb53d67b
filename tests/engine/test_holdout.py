"""Who is learnt from and who is measured on."""

from engine.holdout import MIN_HELD_OUT, is_held_out, judging_folds


def keys(count: int) -> list[str]:
    return [f"image {number}" for number in range(count)]


def test_an_image_never_changes_sides():
    before = {key: is_held_out(key) for key in keys(50)}
    folds = judging_folds(keys(200), [1] * 200)
    assert len(folds) == 1
    for position, key in enumerate(keys(50)):
        assert (position in folds[0].held_out) == before[key]


def test_about_a_quarter_is_held_out():
    held = sum(is_held_out(key) for key in keys(2000))
    assert 440 < held < 560


def test_few_corrections_are_judged_by_folds_that_hold_out_each_once():
    labels = [1, 0, 1, 0, 1, 1, 0, 0, 1, 1]
    folds = judging_folds(keys(10), labels)
    assert len(folds) == 4
    held = [position for fold in folds for position in fold.held_out]
    assert sorted(held) == list(range(10))
    for fold in folds:
        assert not set(fold.training) & set(fold.held_out)
        assert any(labels[position] for position in fold.held_out)
        assert any(labels[position] for position in fold.training)


def test_too_little_to_judge_on_gives_no_fold():
    assert judging_folds(keys(1), [1]) == []
    assert judging_folds(keys(6), [0] * 6) == []
    assert judging_folds(keys(6), [1, 0, 0, 0, 0, 0]) == []


def test_a_hold_out_without_enough_anomalies_is_not_used():
    labels = [0 if is_held_out(key) else 1 for key in keys(MIN_HELD_OUT * 10)]
    assert len(judging_folds(keys(len(labels)), labels)) == 4
