"""Annotations: append-only, nobody's work overwritten unseen, and which of them wait for a run."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from db.errors import Conflict, NotFound
from db.images.annotations import (
    Waiting,
    add_annotation,
    get_annotations,
    newest_annotation,
    newest_per_image,
    waiting_corrections,
)
from db.images.images import delete_image
from db.session import Database
from db.tables.core import Annotation, Image
from db.training.runs import claim, finish, list_runs
from tests.db.making import at_once, make_annotation, make_image, make_project, make_run

NORMAL: dict[str, Any] = {"label": "normal", "mask_blob_key": None, "area": 0, "source": "marked_normal"}


def one_image(database: Database) -> Image:
    """An image that nobody has annotated."""
    with database.session() as session:
        return make_image(session, make_project(session), 1)


def succeed(database: Database, project_id: int, training: list[int], holdout: list[int] | None = None) -> None:
    """A run that learnt from these annotations and ended well."""
    end(database, project_id, training, holdout or [], "succeeded")


def end(database: Database, project_id: int, training: list[int], holdout: list[int], state: str) -> None:
    """A run with this end."""
    with database.session() as session:
        run = make_run(session, project_id, training, holdout_annotation_ids=holdout)
        claim(session, run.id, "worker", 30)
        finish(session, run.id, "worker", state=state)


def test_every_save_is_a_revision_and_the_newest_counts(database: Database) -> None:
    image = one_image(database)
    with database.session() as session:
        assert newest_annotation(session, image.id) is None
        first = make_annotation(session, image)
        second = make_annotation(session, image, **NORMAL)
        assert (first.revision, second.revision) == (1, 2)
        assert newest_annotation(session, image.id) is second
        assert session.scalars(select(Annotation.label).order_by(Annotation.id)).all() == ["anomalous", "normal"]


def test_saving_on_the_newest_revision_is_accepted(database: Database) -> None:
    image = one_image(database)
    with database.session() as session:
        make_annotation(session, image, expected_revision=0)
        assert make_annotation(session, image, expected_revision=1).revision == 2


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_saving_on_another_revision_is_a_conflict_that_names_the_newest(database: Database, expected: int) -> None:
    image = one_image(database)
    with database.session() as session:
        make_annotation(session, image)
        make_annotation(session, image)
        with pytest.raises(Conflict, match="the newest is 2") as conflict:
            make_annotation(session, image, expected_revision=expected)
        assert conflict.value.current_revision == 2
        assert session.scalars(select(Annotation.revision).order_by(Annotation.id)).all() == [1, 2]


def test_of_two_people_who_save_on_the_same_revision_one_wins(database: Database) -> None:
    image = one_image(database)

    def save(number: int) -> int:
        with database.session() as session:
            return make_annotation(session, image, author=f"person {number}", expected_revision=0).revision

    first, second = sorted(at_once(2, save), key=lambda result: isinstance(result, Exception))
    assert first == 1
    assert isinstance(second, Conflict)
    assert second.current_revision == 1


def test_people_who_save_at_once_without_a_revision_are_all_kept(database: Database) -> None:
    image = one_image(database)

    def save(number: int) -> int:
        with database.session() as session:
            return make_annotation(session, image, author=f"person {number}").revision

    assert sorted(at_once(6, save), key=str) == [1, 2, 3, 4, 5, 6]


def test_an_image_that_does_not_exist_cannot_be_annotated(database: Database) -> None:
    with database.session() as session, pytest.raises(NotFound, match="no image 99"):
        add_annotation(session, image_id=99, author="ada", prompt_version_id=None, **NORMAL)


@pytest.mark.parametrize(
    "values",
    [
        {"label": "odd"},
        {"source": "guessed"},
        {"label": "normal"},  # with the mask that `make_annotation` gives
        {"label": "normal", "mask_blob_key": None, "area": 5},
    ],
)
def test_a_contradiction_is_refused(database: Database, values: dict[str, Any]) -> None:
    image = one_image(database)
    with database.session() as session, pytest.raises(ValueError):
        make_annotation(session, image, **values)


def test_the_newest_of_every_image_of_the_project_in_order_of_images(database: Database) -> None:
    with database.session() as session:
        project_id, other_id = make_project(session), make_project(session, "other")
        one, two, _untouched = (make_image(session, project_id, number) for number in range(3))
        of_two = make_annotation(session, two)
        make_annotation(session, one)
        of_one = make_annotation(session, one)
        make_annotation(session, make_image(session, other_id, 1))
        assert newest_per_image(session, project_id) == [of_one, of_two]


def test_a_frozen_input_comes_back_in_its_order_without_deleted_images(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        images = [make_image(session, project_id, number) for number in range(3)]
        kept, gone, superseded = (make_annotation(session, image) for image in images)
        make_annotation(session, images[2])
        delete_image(session, images[1].id)
    with database.session() as session:
        found = get_annotations(session, [superseded.id, gone.id, kept.id])
        assert [annotation.id for annotation in found] == [superseded.id, kept.id]


def test_nothing_waits_in_an_empty_project(database: Database) -> None:
    with database.session() as session:
        assert waiting_corrections(session, make_project(session)) == Waiting(0, None)


def test_corrections_wait_until_a_run_succeeds_with_them(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        one, two = make_image(session, project_id, 1), make_image(session, project_id, 2)
        old, other = make_annotation(session, one), make_annotation(session, two)
        assert waiting_corrections(session, project_id) == Waiting(2, old.created_at)
    succeed(database, project_id, training=[old.id], holdout=[other.id])
    with database.session() as session:
        assert waiting_corrections(session, project_id) == Waiting(0, None)
        again = make_annotation(session, one)
        assert waiting_corrections(session, project_id) == Waiting(1, again.created_at)


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_corrections_still_wait_after_a_run_that_came_to_nothing(database: Database, state: str) -> None:
    with database.session() as session:
        project_id = make_project(session)
        annotation = make_annotation(session, make_image(session, project_id, 1))
    end(database, project_id, [annotation.id], [], state)
    with database.session() as session:
        assert waiting_corrections(session, project_id).count == 1


def test_an_image_that_was_corrected_twice_waits_once(database: Database) -> None:
    image = one_image(database)
    with database.session() as session:
        make_annotation(session, image)
        newest = make_annotation(session, image)
        assert waiting_corrections(session, image.project_id) == Waiting(1, newest.created_at)


def test_a_run_from_long_before_a_correction_is_not_even_asked_and_a_later_one_is(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        early, late = (make_annotation(session, make_image(session, project_id, number)) for number in range(2))
        early.created_at -= timedelta(days=3)
    succeed(database, project_id, training=[early.id])
    with database.session() as session:
        list_runs(session, project_id)[0].created_at -= timedelta(days=2)
        assert waiting_corrections(session, project_id) == Waiting(1, late.created_at)
    succeed(database, project_id, training=[late.id])
    with database.session() as session:
        assert waiting_corrections(session, project_id) == Waiting(0, None)


def test_what_any_succeeded_run_learnt_does_not_wait_however_the_runs_overlap(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        images = [make_image(session, project_id, number) for number in range(6)]
        ids = [make_annotation(session, image).id for image in images[:4]]
    succeed(database, project_id, training=[ids[1], ids[3]])
    succeed(database, project_id, training=[ids[0]], holdout=[ids[1]])
    with database.session() as session:
        late = [make_annotation(session, image) for image in images[4:]]
        assert waiting_corrections(session, project_id).count == 3
    succeed(database, project_id, training=[late[0].id])
    with database.session() as session:
        waiting = waiting_corrections(session, project_id)
        assert (waiting.count, waiting.oldest_at) == (2, newest_annotation(session, images[2].id).created_at)  # type: ignore[union-attr]
