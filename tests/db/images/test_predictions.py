"""Predictions: one of each image and prompt version; which one is shown."""

import pytest
from sqlalchemy import func, select

from db.errors import NotFound
from db.images.images import delete_image
from db.images.predictions import active_prediction, latest_prediction, prediction_by_version, save_prediction
from db.session import Database
from db.tables.core import Prediction
from tests.db.making import at_once, make_image, make_prediction, make_project, make_version


def test_scoring_again_with_the_same_prompts_replaces_the_prediction(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version, image = make_version(session, project_id), make_image(session, project_id, 1)
        first = make_prediction(session, image, version, 0.2)
        again = make_prediction(session, image, version, 0.9)
        assert again is first
        assert (again.score, again.map_max, again.engine_settings) == (0.9, 0.9, {"device": "cpu"})


def test_the_map_that_was_replaced_is_told_where_it_is_another_one(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version, image = make_version(session, project_id), make_image(session, project_id, 1)
        replaced: set[str] = set()
        for name in ("a", "a", "b"):
            save_prediction(
                session,
                image_id=image.id,
                prompt_version_id=version.id,
                score=0.5,
                map_blob_key=f"maps/{name}",
                map_max=0.5,
                engine_settings={},
                replaced=replaced,
            )
        assert replaced == {"maps/a"}


def test_scoring_with_other_prompts_keeps_both(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        image = make_image(session, project_id, 1)
        old = make_prediction(session, image, make_version(session, project_id))
        new = make_prediction(session, image, make_version(session, project_id))
        assert old.id != new.id
        assert prediction_by_version(session, image.id, old.prompt_version_id) is old
        assert prediction_by_version(session, image.id, make_version(session, project_id).id) is None


def test_a_success_clears_the_error_of_an_earlier_failure(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        image = make_image(session, project_id, 1)
        image.scoring_error = "Out of memory."
        make_prediction(session, image, make_version(session, project_id))
    assert image.scoring_error is None


def test_workers_that_score_the_same_image_at_once_leave_one_prediction(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version, image = make_version(session, project_id), make_image(session, project_id, 1)

    def score(number: int) -> float:
        with database.session() as session:
            return make_prediction(session, image, version, number / 10).score

    assert at_once(6, score) == [number / 10 for number in range(6)]
    with database.session() as session:
        assert session.scalar(select(func.count()).select_from(Prediction)) == 1


def test_a_prediction_of_a_deleted_image_or_of_no_version_is_not_found(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        gone, there = make_image(session, project_id, 1), make_image(session, project_id, 2)
        version = make_version(session, project_id)
        delete_image(session, gone.id)
    for image_id, version_id in ((gone.id, version.id), (there.id, 99)):
        with database.session() as session, pytest.raises(NotFound):
            save_prediction(
                session,
                image_id=image_id,
                prompt_version_id=version_id,
                score=0.5,
                map_blob_key=f"11/{'1' * 64}",
                map_max=0.5,
                engine_settings={},
            )


def test_the_active_prediction_is_that_of_the_active_version(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        image = make_image(session, project_id, 1)
        old = make_prediction(session, image, make_version(session, project_id))
        assert active_prediction(session, image.id) is old
        newer = make_version(session, project_id)
        assert active_prediction(session, image.id) is None
        new = make_prediction(session, image, newer)
        assert active_prediction(session, image.id) is new


def test_the_latest_prediction_is_that_of_the_newest_version_that_scored_the_image(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        image = make_image(session, project_id, 1)
        assert latest_prediction(session, image.id) is None
        first, second = make_version(session, project_id), make_version(session, project_id)
        of_second = make_prediction(session, image, second)
        make_prediction(session, image, first)
        make_version(session, project_id)
        assert latest_prediction(session, image.id) is of_second
