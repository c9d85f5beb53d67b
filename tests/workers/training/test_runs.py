"""When a run starts: by hand, when it is due, and when it does not."""

from pathlib import Path

import pytest

from db.blobs import BlobStore
from db.projects.projects import get_project, update_settings
from db.session import Database
from db.store import Store
from db.tables.base import utc_now
from db.tables.core import PromptVersion
from db.training.runs import claim, finish, get_run, list_runs
from tests.conftest import Installation
from tests.db.making import at_once
from tests.pictures import png
from tests.workers.making import add, age_annotations, change_run, correct
from workers.errors import NotReady, RunInProgress, TooFewCorrections
from workers.images.correcting import mark_normal
from workers.images.intake import add_upload
from workers.projects.shipped_prompts import ensure_default_project
from workers.scoring import engine_host
from workers.training.runs import is_due, start_due_runs, start_run


def due(installation: Installation) -> bool:
    with installation.store.session(read_only=True) as session:
        return is_due(session, get_project(session, installation.project_id))


def set_project(installation: Installation, **changes: object) -> None:
    with installation.store.session() as session:
        update_settings(session, installation.project_id, changes)


def start(installation: Installation) -> int:
    return start_run(installation.store, installation.project_id, trigger="manual")


def test_a_run_freezes_the_newest_annotation_of_every_image(installation: Installation) -> None:
    first = correct(installation, 3)
    [second] = correct(installation, 1, normal=True, first_seed=0)  # the same picture, corrected again
    run_id = start(installation)
    with installation.store.session(read_only=True) as session:
        run = get_run(session, run_id)
    frozen = {*run.training_annotation_ids, *run.holdout_annotation_ids}
    assert frozen == {second.id, *(annotation.id for annotation in first[1:])}
    assert run.state == "queued" and run.parent_version_id is not None


def test_all_corrections_are_learnt_from_and_none_is_held_back(installation: Installation) -> None:
    corrected = {one.id for one in correct(installation, 30)}
    with installation.store.session(read_only=True) as session:
        run = get_run(session, start(installation))
    assert set(run.training_annotation_ids) == corrected and run.holdout_annotation_ids == []


def test_without_corrections_no_run_starts(installation: Installation) -> None:
    add(installation)
    with pytest.raises(TooFewCorrections, match="correct 1 more"):
        start(installation)


def test_only_normals_are_allowed(installation: Installation) -> None:
    correct(installation, 2, normal=True)
    assert start(installation)


def test_a_second_run_waits_for_the_first(installation: Installation) -> None:
    correct(installation, 1)
    first = start(installation)
    with pytest.raises(RunInProgress) as refused:
        start(installation)
    assert refused.value.run_id == first


def test_before_the_first_prompts_a_run_says_to_wait(installation: Installation) -> None:
    correct(installation, 1)
    with installation.store.session() as session:
        session.query(PromptVersion).update({"state": "retired"})
    with pytest.raises(NotReady, match="loading"):
        start(installation)


def test_enough_new_corrections_make_a_run_due(installation: Installation) -> None:
    set_project(installation, retrain_after=3)
    correct(installation, 2)
    assert not due(installation)
    correct(installation, 1, first_seed=2)
    assert due(installation)


def test_a_correction_that_has_waited_makes_a_run_due(installation: Installation) -> None:
    set_project(installation, retrain_hours=2)
    correct(installation, 1)
    assert not due(installation)
    age_annotations(installation, hours=3)
    assert due(installation)


def test_without_a_schedule_nothing_is_due(installation: Installation) -> None:
    set_project(installation, retrain_after=1, schedule=False)
    correct(installation, 1)
    assert not due(installation)


def test_nothing_new_means_nothing_due(installation: Installation) -> None:
    set_project(installation, retrain_after=1)
    correct(installation, 1)
    run_id = start(installation)
    with installation.store.session() as session:
        assert claim(session, run_id, "worker", 60.0) and finish(session, run_id, "worker", state="succeeded")
    assert not due(installation)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_run_that_ended_without_a_result_is_not_repeated_until_something_is_new(
    installation: Installation, state: str
) -> None:
    set_project(installation, retrain_after=1)
    correct(installation, 1)
    change_run(installation, start(installation), state=state, finished_at=utc_now())
    assert not due(installation)
    correct(installation, 1, first_seed=1)
    assert due(installation)


def test_due_runs_start_once(installation: Installation) -> None:
    set_project(installation, retrain_after=1)
    correct(installation, 1)
    [run_id] = start_due_runs(installation.store)
    assert start_due_runs(installation.store) == []
    with installation.store.session(read_only=True) as session:
        assert get_run(session, run_id).trigger == "schedule"


def test_of_several_schedulers_one_starts_the_run(configured: Path, database: Database) -> None:
    store = Store(database, BlobStore(f"file://{configured / 'blobs'}"))
    project_id = ensure_default_project(store, engine_host.get_engine())
    with store.session() as session:
        update_settings(session, project_id, {"retrain_after": 1})
    mark_normal(store, add_upload(store, project_id, "0.png", png()).image_id)
    started = at_once(4, lambda _: start_due_runs(store))
    assert sorted(started, key=str) == [[1], [], [], []], started
    with store.session(read_only=True) as session:
        assert [run.trigger for run in list_runs(session, project_id)] == ["schedule"]
