"""The annotation that counts of each image, and its label beside what every version says of the image."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.images import annotations
from db.images.annotations import LabelCounts, count_labels, get_annotations, newest_annotated
from db.images.images import delete_image
from db.images.newest_annotations import count_annotated, last_annotations, mark_learnt, newest_ids
from db.session import Database
from db.tables.core import Prediction
from db.tables.newest_annotations import NewestAnnotation
from tests.db.making import at_once, make_annotation, make_image, make_prediction, make_project, make_version

NORMAL = {"label": "normal", "mask_blob_key": None, "area": 0}


def labels(session: Session) -> list[str | None]:
    """What is kept with the predictions, of all versions."""
    return list(session.scalars(select(Prediction.label).order_by(Prediction.id)))


def test_the_newest_revision_counts_and_the_others_do_not(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        one, two = (make_image(session, project_id, number) for number in range(2))
        of_two = make_annotation(session, two)
        make_annotation(session, one)
        of_one = make_annotation(session, one, **NORMAL)
        make_annotation(session, make_image(session, make_project(session, "other"), 1))
        assert newest_ids(session, project_id) == [of_one.id, of_two.id]
        assert last_annotations(session, project_id, 1) == [of_one]
        assert newest_annotated(session, project_id, 5) == [one.seen_key, two.seen_key]
        assert count_annotated(session, project_id) == 2


def test_labels_are_counted_by_whether_someone_said_where(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        images = [make_image(session, project_id, number) for number in range(6)]
        for image, how in zip(images, [NORMAL, NORMAL, NORMAL, {}, {}, {"mask_blob_key": None}], strict=True):
            make_annotation(session, image, **how)
        assert count_labels(session, project_id) == LabelCounts(normal=3, marked=2, unmarked=1)


def test_the_label_is_kept_with_what_versions_said_before_and_say_after(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        versions = [make_version(session, project_id) for _ in range(3)]
        image, other = make_image(session, project_id, 1), make_image(session, project_id, 2)
        make_prediction(session, image, versions[0])
        make_prediction(session, other, versions[0])
        make_annotation(session, image)
        make_prediction(session, image, versions[1])
        assert labels(session) == ["anomalous", None, "anomalous"]
        make_annotation(session, image, **NORMAL)
        make_prediction(session, image, versions[0], 0.9)
        make_prediction(session, image, versions[2])
        session.expire_all()
        assert labels(session) == ["normal", None, "normal", "normal"]


def test_nothing_of_a_deleted_image_counts(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        image = make_image(session, project_id, 1)
        make_annotation(session, image)
        delete_image(session, image.id)
        assert newest_ids(session, project_id) == [] and session.scalars(select(NewestAnnotation)).all() == []


def test_what_was_said_anew_while_a_run_went_on_is_not_learnt(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        images = [make_image(session, project_id, number) for number in range(2)]
        frozen = [make_annotation(session, image).id for image in images]
        again = make_annotation(session, images[0])
        mark_learnt(session, project_id, frozen)
        waits = select(NewestAnnotation.annotation_id).where(~NewestAnnotation.learnt)
        assert session.scalars(waits).all() == [again.id]


def test_who_scores_and_who_annotates_at_the_same_moment_agree(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        images = [make_image(session, project_id, number) for number in range(6)]

    def do(number: int) -> None:
        with database.session() as session:
            if number % 2:
                make_annotation(session, images[number // 2])
            else:
                make_prediction(session, images[number // 2], version)

    assert at_once(12, do) == [None] * 12
    with database.session(read_only=True) as session:
        assert labels(session) == ["anomalous"] * 6


def test_an_input_of_any_length_is_read(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations, "_AT_ONCE", 2)
    with database.session() as session:
        project_id = make_project(session)
        made = [make_annotation(session, make_image(session, project_id, number)) for number in range(5)]
        assert get_annotations(session, [one.id for one in reversed(made)]) == made[::-1]
