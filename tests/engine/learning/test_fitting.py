"""A run from end to end, on drawn images with a backbone of random weights: fitted, judged, decided."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from engine.detector.files import detector_to_bytes, read_detector
from engine.detector.maps import resize_map
from engine.detector.prompts import default_prompts, random_prompts
from engine.evaluation.metrics.of_arrays import auroc, average_precision
from engine.learning.comparison import OBJECTIVE
from engine.learning.fitting import Config, Outcome, Unfit, _Run, learn
from engine.learning.out_of_fold import on_grid, said_by
from tests.engine.learning.making import correction, corrections

LABELS = [1, 0, 1, 1, 0, 1, 0, 1]
QUICK = Config(epochs=2, seed=3)


@pytest.fixture(scope="module")
def root(tiny_engine):
    return tiny_engine.detector_of(default_prompts(tiny_engine.backbone))


@pytest.fixture(scope="module")
def corrected(tiny_engine):
    return corrections(tiny_engine, LABELS)


@pytest.fixture(scope="module")
def outcome(tiny_engine, root, corrected) -> Outcome:
    return learn(tiny_engine, root, root, corrected, QUICK)


def figures(outcome):
    return {one.name: one.metrics for one in outcome.offers if one.name != "active"}


def chosen_offer(outcome):
    return next(one for one in outcome.offers if one.name == outcome.decision.chosen)


def test_a_defect_that_was_marked_is_found_where_nobody_marked_it(tiny_engine, root, outcome):
    assert outcome.decision.promote is True and outcome.decision.sentence.startswith("Put in service: marks defects")
    assert "refiner" in outcome.detector.parts
    unseen = corrections(tiny_engine, [1, 1, 1], first_seed=101)
    marked = np.stack([one.marked.numpy() > 0.5 for one in unseen])
    before, after = (
        np.stack(
            [resize_map(scored.anomaly_map, *marked.shape[1:]) for scored in one.score([u.features for u in unseen])]
        )
        for one in (root, outcome.detector)
    )
    assert average_precision(marked, before) < 0.5 < 0.8 < average_precision(marked, after)


def test_everything_is_offered_with_figures_out_of_fold(outcome):
    assert [one.name for one in outcome.offers] == ["active", "prompts", "heads", "refiner"]
    for one in outcome.offers:
        assert all(one.metrics[name] is not None for name in OBJECTIVE)
    chosen = chosen_offer(outcome)
    claimed = outcome.comparison
    assert claimed is not None and claimed.candidate["pixel_ap"] == chosen.metrics["pixel_ap"]
    # Of image AUROC less is promised than was found.
    assert claimed.active["image_auroc"] < claimed.candidate["image_auroc"] < chosen.metrics["image_auroc"]


def test_what_is_promoted_is_not_worse_than_the_root_on_any_figure_that_decides(outcome):
    before = outcome.offers[0].metrics
    assert outcome.decision.promote and outcome.comparison is not None
    for name in ("pixel_auroc", "pixel_ap", "image_auroc"):
        assert outcome.comparison.candidate[name] >= before[name] - 0.01, name


def test_it_keeps_what_it_said_of_each_correction_before_it_had_learnt_from_it(corrected, outcome):
    assert set(outcome.detector.said) == {one.key for one in corrected}
    said = outcome.detector.said
    for one, now in zip(corrected, said_by(outcome.detector, corrected), strict=True):
        assert np.abs(now.anomaly_map - said[one.key].anomaly_map).max() > 0.05  # not what it says now
    marked = [one for one in corrected if one.label]
    seen = [auroc(one.marked.numpy()[1::2, 1::2] > 0.5, said[one.key].anomaly_map) for one in marked]
    assert np.mean(seen) > 0.9  # and still, on images that each fold had not seen, right


def test_the_same_corrections_and_seed_give_the_same_file(tiny_engine, root, corrected, outcome):
    again = learn(tiny_engine, root, root, corrected, QUICK)
    assert detector_to_bytes(again.detector) == detector_to_bytes(outcome.detector)
    assert again.decision == outcome.decision
    other = learn(tiny_engine, root, root, corrected, replace(QUICK, seed=4))
    assert detector_to_bytes(other.detector) != detector_to_bytes(outcome.detector)


def test_what_was_learnt_is_in_the_file(tiny_engine, corrected, outcome):
    loaded = read_detector(detector_to_bytes(outcome.detector), tiny_engine.backbone)
    features = [corrected[0].features]
    assert loaded.parts == outcome.detector.parts
    first, second = loaded.score(features)[0], outcome.detector.score(features)[0]
    assert first.score == pytest.approx(second.score, abs=2e-3)
    assert np.allclose(first.anomaly_map, second.anomaly_map, atol=1e-2)


def test_learnt_is_from_the_root_whatever_is_in_service(tiny_engine, root, corrected, outcome):
    elsewhere = tiny_engine.detector_of(random_prompts(tiny_engine.backbone, 9))
    from_elsewhere = learn(tiny_engine, root, elsewhere, corrected, QUICK)
    assert from_elsewhere.losses == outcome.losses
    assert figures(from_elsewhere) == figures(outcome)
    assert from_elsewhere.offers[0].metrics != outcome.offers[0].metrics
    learnt_before = learn(tiny_engine, outcome.detector, root, corrected, QUICK)  # of a root, its prompts alone
    assert figures(learnt_before) == figures(outcome)


def test_a_refit_on_the_same_corrections_is_judged_on_what_was_said_before_learning(
    tiny_engine, root, corrected, outcome
):
    again = learn(tiny_engine, root, outcome.detector, corrected, QUICK)
    before, found = again.offers[0].metrics, chosen_offer(outcome).metrics
    for name in OBJECTIVE:  # the maps are the same; scores are shifted to the operating point, which keeps their order
        assert before[name] == pytest.approx(found[name], abs=1e-3), name


def test_one_correction_waits_for_a_person(tiny_engine, root):
    outcome = learn(tiny_engine, root, root, corrections(tiny_engine, [1]), QUICK)
    assert outcome.decision.promote is None and "at least two anomalous images" in outcome.decision.sentence
    assert outcome.offers == [] and outcome.comparison is None and outcome.operating_point is None
    assert math.isfinite(outcome.detector.score([correction(tiny_engine, 50, 1).features])[0].score)


def test_normal_images_alone_wait_for_a_person(tiny_engine, root):
    outcome = learn(tiny_engine, root, root, corrections(tiny_engine, [0, 0, 0]), QUICK)
    assert outcome.decision.promote is None and outcome.detector.refiner is None
    assert np.isfinite(outcome.detector.score([correction(tiny_engine, 50, 1).features])[0].anomaly_map).all()


def test_anomalous_images_alone_without_a_mask_teach_nothing_and_say_so(tiny_engine, root):
    weak = corrections(tiny_engine, [1, 1], weak=True)
    with pytest.raises(Unfit, match="Mark what is wrong on one image at least"):
        learn(tiny_engine, root, root, weak, QUICK)
    with pytest.raises(Unfit):
        learn(tiny_engine, root, root, [], QUICK)


def test_labels_without_masks_teach_images_and_no_pixels(tiny_engine, root):
    outcome = learn(tiny_engine, root, root, corrections(tiny_engine, [1, 0] * 4, weak=True), QUICK)
    assert [one.name for one in outcome.offers] == ["active", "prompts", "heads", "image head"]
    assert outcome.detector.refiner is None
    assert all(one.metrics["pixel_auroc"] is None for one in outcome.offers)
    assert all(one.metrics["image_auroc"] is not None for one in outcome.offers)


def test_masks_and_labels_alone_are_learnt_from_together(tiny_engine, root, corrected):
    some = [*corrected[:5], *corrections(tiny_engine, [1, 1], first_seed=30, weak=True)]
    outcome = learn(tiny_engine, root, root, some, QUICK)
    assert {one.key for one in some} == set(outcome.detector.said)
    assert any(one.name == "refiner" for one in outcome.offers)


def test_the_only_mask_is_judged_by_the_prompts_alone_where_nothing_else_was_marked(tiny_engine, root):
    """Without it nothing is marked, so no refiner of its fold knows what is anomalous; none that has seen it speaks."""
    marked, *others = corrections(tiny_engine, [1, 0, 0, 0])
    weak = corrections(tiny_engine, [1, 1], first_seed=20, weak=True)
    run = _Run(tiny_engine, root, root, [marked, *others, *weak], Config(epochs=1), lambda progress: None, ())
    _, maps = run._refiner()
    own = on_grid(run.at_first[0].anomaly_map, marked)
    assert spearmanr(maps[0].ravel(), own.ravel()).statistic == pytest.approx(1.0, abs=1e-6)
    assert spearmanr(maps[1].ravel(), on_grid(run.at_first[1].anomaly_map, others[0]).ravel()).statistic < 0.999


def test_images_of_all_shapes_are_learnt_from_together(tiny_engine, root):
    sizes = [{}, {"width": 220, "height": 70}, {"width": 70, "height": 240}]
    some = [correction(tiny_engine, seed, seed % 2, **sizes[seed % 3]) for seed in range(7)]
    assert len({one.marked.shape for one in some}) == 3
    outcome = learn(tiny_engine, root, root, some, QUICK)
    assert [one.name for one in outcome.offers] == ["active", "prompts", "heads", "refiner"]
    for one in some:
        assert outcome.detector.said[one.key].anomaly_map.shape == tuple(side // 2 for side in one.marked.shape)


def test_what_is_usual_among_other_images_is_kept_with_the_refiner(tiny_engine, root, corrected):
    others = [one.features for one in corrections(tiny_engine, [0] * 5, first_seed=60)]
    outcome = learn(tiny_engine, root, root, corrected, QUICK, unlabelled=others)
    assert outcome.detector.refiner is not None
    assert len(outcome.detector.refiner.views.others.identities) == 5


def test_the_threshold_is_kept_where_a_person_chose_it(tiny_engine, root, corrected):
    chosen = learn(tiny_engine, root, root, corrected, replace(QUICK, threshold=0.3, threshold_is_chosen=True))
    point = chosen.operating_point
    assert point is not None and point.threshold == 0.3
    before, after = point.false_alarms
    assert after == pytest.approx(before, abs=1 / LABELS.count(0))


def test_prompts_alone_are_the_papers_method(tiny_engine, root, corrected):
    outcome = learn(tiny_engine, root, root, corrected, replace(QUICK, prompts_only=True))
    assert [one.name for one in outcome.offers] == ["active", "prompts"]
    assert outcome.detector.parts == ("prompts",)


def test_progress_rises_and_says_what_is_done(tiny_engine, root, corrected):
    told = []
    learn(tiny_engine, root, root, corrected, QUICK, told.append)
    shares = [one.share for one in told]
    assert shares == sorted(shares) and shares[0] > 0 and shares[-1] < 1
    assert told[0].stage.startswith("tuning prompts, part 1 of") and not told[0].judging
    assert told[-1].judging and told[-1].stage == "comparing with what is in service"
    folds = {one["fold"] for one in told[-1].losses}
    assert folds == {-1, 0, 1, 2, 3, 4} and {one["epoch"] for one in told[-1].losses} == {1, 2}


def test_what_the_report_raises_ends_the_run(tiny_engine, root, corrected):
    class Cancelled(Exception):
        pass

    def cancel(progress):
        raise Cancelled

    with pytest.raises(Cancelled):
        learn(tiny_engine, root, root, corrected, QUICK, cancel)
