"""The life of a run: what it costs, what it keeps, and that one which was cut off comes to the same end."""

from dataclasses import replace

import pytest

from db.projects.projects import update_settings
from db.tables.core import PromptVersion, TuningRun
from db.training.prompt_versions import activate, active_version, get_version
from db.training.runs import get_run, list_runs
from engine.learning.deciding import Decision
from tests.conftest import Installation
from tests.workers.making import activate_copy, change_run, correct, nameless
from workers.errors import PromptError
from workers.images.correcting import mark_anomalous
from workers.scoring.engine_host import get_engine
from workers.training import tuning_run
from workers.training.corrections import root_of
from workers.training.runs import cancel_run, start_run
from workers.training.tuning_run import tune


def run(installation: Installation, **changes: object) -> TuningRun:
    """Start a run, carry it out in this process, and return it."""
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1)
    if changes:
        change_run(installation, run_id, **changes)
    tune(installation.store, get_engine(), run_id)
    with installation.store.session(read_only=True) as session:
        return get_run(session, run_id)


def test_a_second_run_encodes_what_is_new_and_says_so(installation: Installation) -> None:
    correct(installation, 4)
    first = run(installation)
    correct(installation, 10, first_seed=100)
    second = run(installation)
    assert [first.state, second.state] == ["succeeded", "succeeded"]
    assert [first.encoded_images, second.encoded_images] == [4, 10]
    assert second.metrics["encoded_images"] == 10
    assert second.metrics["corrections"] == 14


def test_what_an_earlier_attempt_encoded_still_counts(installation: Installation) -> None:
    correct(installation, 4)
    assert run(installation, encoded_images=3).encoded_images == 7


def test_a_run_waits_for_a_place_for_files_that_is_away(installation: Installation) -> None:
    correct(installation, 4)
    blobs, away = installation.home / "blobs", installation.home / "away"
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1)
    blobs.rename(away)
    blobs.write_text("a file where the folder should be")
    for _ in range(5):  # more often than a run is taken up again after its worker was lost
        tune(installation.store, get_engine(), run_id)
    with installation.store.session(read_only=True) as session:
        waiting = get_run(session, run_id)
    assert (waiting.state, waiting.attempt, waiting.error) == ("queued", 0, "")
    blobs.unlink()
    away.rename(blobs)
    tune(installation.store, get_engine(), run_id)
    with installation.store.session(read_only=True) as session:
        assert get_run(session, run_id).state == "succeeded"


def row(installation: Installation, run_id: int) -> TuningRun:
    with installation.store.session(read_only=True) as session:
        return get_run(session, run_id)


def version(installation: Installation, version_id: int | None) -> PromptVersion:
    assert version_id is not None
    with installation.store.session(read_only=True) as session:
        return get_version(session, version_id)


def in_service(installation: Installation) -> int:
    with installation.store.session(read_only=True) as session:
        active = active_version(session, installation.project_id)
        assert active is not None
        return active.id


def test_a_run_keeps_what_was_offered_and_what_the_threshold_does(installation: Installation) -> None:
    correct(installation, 4)
    correct(installation, 3, normal=True, first_seed=50)
    ended = run(installation)
    assert ended.state == "succeeded", ended.error
    assert [one["name"] for one in ended.metrics["offers"]] == ["active", "prompts", "heads", "refiner"]
    assert ended.metrics["method"] == "out of fold" and set(ended.metrics["difference"]) >= {"pixel_ap", "image_auroc"}
    assert ended.metrics["operating_point"]["threshold"] == 0.5
    candidate = version(installation, ended.candidate_version_id)
    assert candidate.metrics == ended.metrics and candidate.parent_id == ended.parent_version_id
    detector = get_engine().load_detector(installation.store.blobs.get(candidate.blob_key))
    assert list(detector.parts) == ended.metrics["parts"] and len(detector.said) == 7


def test_one_correction_waits_for_a_person_and_what_is_in_service_stays(installation: Installation) -> None:
    correct(installation, 1)
    before = in_service(installation)
    ended = run(installation)
    assert ended.state == "succeeded" and "it waits" in ended.decision
    assert in_service(installation) == before and ended.metrics["method"] == "unjudged"
    assert version(installation, ended.candidate_version_id).state == "candidate"


def test_labels_without_a_mask_alone_fail_in_words(installation: Installation) -> None:
    image_id = correct(installation, 1)[0].image_id
    mark_anomalous(installation.store, image_id)
    ended = run(installation)
    assert ended.state == "failed" and "Mark what is wrong on one image at least" in ended.error


def test_a_run_that_was_killed_starts_again_and_comes_to_the_same_end(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after everything was learnt, before a word of it was kept; what it learns again is the same file."""
    correct(installation, 3)
    correct(installation, 2, normal=True, first_seed=50)
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1)
    kept: list[bytes] = []

    class Killed(BaseException):
        pass

    def die(detector: object) -> bytes:
        kept.append(tuning_to_bytes(detector))
        raise Killed

    tuning_to_bytes = tuning_run.detector_to_bytes
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(tuning_run, "detector_to_bytes", die)
        tune(installation.store, get_engine(), run_id)
    assert row(installation, run_id).state in ("running", "evaluating")
    assert row(installation, run_id).candidate_version_id is None
    change_run(installation, run_id, state="queued", worker="", heartbeat_at=None)
    tune(installation.store, get_engine(), run_id)
    ended = row(installation, run_id)
    assert ended.state == "succeeded"
    candidate = version(installation, ended.candidate_version_id)
    assert installation.store.blobs.get(candidate.blob_key) == kept[0]
    with installation.store.session(read_only=True) as session:
        assert len(list_runs(session, installation.project_id)) == 1


def test_a_run_that_someone_cancels_ends_at_the_next_stage(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    correct(installation, 3)
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1)
    learn = tuning_run.learn

    def cancelled_meanwhile(*given: object) -> object:
        cancel_run(installation.store, run_id)
        return learn(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(tuning_run, "learn", cancelled_meanwhile)
    before = in_service(installation)
    tune(installation.store, get_engine(), run_id)
    ended = row(installation, run_id)
    assert ended.state == "cancelled" and ended.candidate_version_id is None
    assert in_service(installation) == before


def test_a_run_that_another_worker_has_by_now_leaves_no_file_behind(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    correct(installation, 3)
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1)
    to_bytes = tuning_run.detector_to_bytes

    def taken_over_meanwhile(detector: object) -> bytes:
        change_run(installation, run_id, worker="another")
        return to_bytes(detector)  # type: ignore[arg-type]

    monkeypatch.setattr(tuning_run, "detector_to_bytes", taken_over_meanwhile)
    tune(installation.store, get_engine(), run_id)
    assert row(installation, run_id).worker == "another" and row(installation, run_id).candidate_version_id is None
    assert nameless(installation) == set()


def test_a_version_that_a_person_put_in_service_meanwhile_stays(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    correct(installation, 4)
    correct(installation, 3, normal=True, first_seed=50)
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1)
    learn = tuning_run.learn

    def while_another_is_activated(*given: object) -> object:
        activate_copy(installation)
        outcome = learn(*given)  # type: ignore[arg-type]
        return replace(outcome, decision=Decision(True, "Put in service: better.", outcome.decision.chosen))

    monkeypatch.setattr(tuning_run, "learn", while_another_is_activated)
    tune(installation.store, get_engine(), run_id)
    ended = row(installation, run_id)
    assert ended.state == "succeeded" and "Another version became active meanwhile" in ended.decision
    assert in_service(installation) not in (ended.candidate_version_id, ended.parent_version_id)


def test_learnt_is_from_the_shipped_version_however_many_were_learnt_since(installation: Installation) -> None:
    correct(installation, 3)
    shipped = in_service(installation)
    first = run(installation)
    with installation.store.session() as session:
        activate(session, first.candidate_version_id)
    second = run(installation)
    assert second.parent_version_id == first.candidate_version_id
    with installation.store.session(read_only=True) as session:
        assert root_of(session, get_version(session, second.candidate_version_id)).id == shipped
    assert second.losses == first.losses  # the same corrections, from the same start


def test_a_version_that_names_no_origin_is_said(installation: Installation) -> None:
    with installation.store.session(read_only=True) as session:
        orphan = PromptVersion(id=99, number=7, origin="tuned", parent_id=None)
        with pytest.raises(PromptError, match="Version 7 names no version that it was learnt from"):
            root_of(session, orphan)


def test_a_threshold_that_a_person_chose_is_kept_as_such(installation: Installation) -> None:
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"threshold": 0.3})
    correct(installation, 3)
    correct(installation, 3, normal=True, first_seed=50)
    point = run(installation).metrics["operating_point"]
    assert point["threshold"] == 0.3
    before, after = point["false_alarms"]
    assert before == pytest.approx(after)
