"""The golden set: never learnt from, and judged by every candidate before it goes into service."""

from dataclasses import replace

import pytest

from db.images.annotations import newest_per_image
from db.images.verdicts import Criterion
from db.projects.projects import update_settings
from db.tables.core import TuningRun
from db.training.prompt_versions import active_version, get_version
from db.training.runs import get_run
from engine.learning.deciding import Decision
from tests.conftest import Installation
from tests.workers.making import correct, score_all
from workers.images.seen import detector_of
from workers.scoring.engine_host import get_engine
from workers.training import tuning_run
from workers.training.golden import choose_golden, judge_golden
from workers.training.runs import start_run
from workers.training.tuning_run import tune


def carry_out(installation: Installation, run_id: int) -> TuningRun:
    tune(installation.store, get_engine(), run_id)
    with installation.store.session(read_only=True) as session:
        return get_run(session, run_id)


@pytest.fixture
def calls_all_anomalous(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is learnt is judged better out of fold, and calls every image anomalous."""
    learn = tuning_run.learn

    def learnt(*given: object) -> object:
        outcome = learn(*given)  # type: ignore[arg-type]
        decision = Decision(True, "Put in service: better.", outcome.decision.chosen)
        return replace(outcome, decision=decision, detector=replace(outcome.detector, shift=50.0))

    monkeypatch.setattr(tuning_run, "learn", learnt)


def test_golden_images_are_neither_learnt_from_nor_judged_out_of_fold(installation: Installation) -> None:
    corrections = [*correct(installation, 4), *correct(installation, 2, normal=True, first_seed=50)]
    kept = corrections[0]
    choose_golden(installation.store, kept.image_id, True)
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1)
    choose_golden(installation.store, corrections[1].image_id, True)  # asked for, and not begun yet
    ended = carry_out(installation, run_id)
    assert kept.id not in ended.training_annotation_ids
    assert (ended.metrics["corrections"], ended.metrics["golden"]["images"]) == (4, 2)
    with installation.store.session(read_only=True) as session:
        candidate = get_version(session, ended.candidate_version_id or 0)
    detector = get_engine().load_detector(installation.store.blobs.get(candidate.blob_key))
    assert len(detector.said) == 4


def test_a_candidate_that_judges_a_golden_image_worse_is_refused_and_says_which(
    installation: Installation, calls_all_anomalous: None
) -> None:
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"threshold": 0.999})  # the version in use: all are normal
    corrections = [*correct(installation, 3), *correct(installation, 3, normal=True, first_seed=50)]
    score_all(installation.store, installation.project_id)
    for one in (corrections[2], corrections[3]):  # one that the version in use judges wrong, and one right
        choose_golden(installation.store, one.image_id, True)
    ended = carry_out(installation, start_run(installation.store, installation.project_id, trigger="manual", epochs=1))
    [worse] = ended.metrics["golden"]["worse"]
    assert (worse["image_id"], worse["file_name"], worse["label"]) == (corrections[3].image_id, "50.png", "normal")
    assert ended.decision == (
        "Refused, what is in service stays: it judges the golden image 50.png wrong, which the version in use judges "
        "right."
    )
    with installation.store.session(read_only=True) as session:
        assert get_version(session, ended.candidate_version_id or 0).state == "rejected"
        active = active_version(session, installation.project_id)
    assert active is not None and active.id == ended.parent_version_id


def test_a_candidate_that_judges_none_worse_goes_into_service_and_says_so(
    installation: Installation, calls_all_anomalous: None
) -> None:
    corrections = [*correct(installation, 3), *correct(installation, 2, normal=True, first_seed=50)]
    score_all(installation.store, installation.project_id)
    choose_golden(installation.store, corrections[0].image_id, True)
    ended = carry_out(installation, start_run(installation.store, installation.project_id, trigger="manual", epochs=1))
    assert ended.decision == "Put in service: better. Golden images: 1, none of them judged worse than before."


def test_an_image_that_nothing_judges_yet_holds_no_candidate_up(installation: Installation) -> None:
    """On a first visit nothing is called normal: there is nothing to be worse than."""
    image = correct(installation, 1, normal=True)[0]
    with installation.store.session(read_only=True) as session:
        active = active_version(session, installation.project_id)
        assert active is not None
        golden = newest_per_image(session, installation.project_id)
    engine = get_engine()
    candidate = replace(detector_of(installation.store, engine, active), shift=50.0)
    assert judge_golden(installation.store, engine, active, candidate, golden, Criterion(0.5)).worse == []
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"threshold": 0.999})
    [worse] = judge_golden(installation.store, engine, active, candidate, golden, Criterion(0.999)).worse
    assert (worse.image_id, worse.score > 0.999) == (image.image_id, True)
