"""What counts of an image: its newest annotation, the active version's prediction, its status; and their counts."""

import pytest
from sqlalchemy.orm import Session

from db.errors import NotFound
from db.images.images import clear_scoring_errors
from db.images.predictions import save_prediction
from db.images.rows import (
    STATUSES,
    count_by_status,
    count_waiting,
    count_with_old_score,
    get_image_row,
    unscored_images,
)
from db.session import Database
from tests.db.making import make_annotation, make_image, make_prediction, make_project, make_version


def test_an_image_goes_from_unscored_to_review_to_corrected(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        image = make_image(session, project_id, 1)
        row = get_image_row(session, image.id)
        assert (row.image, row.annotation, row.prediction, row.status) == (image, None, None, "unscored")
        prediction = make_prediction(session, image, version)
        row = get_image_row(session, image.id)
        assert (row.annotation, row.prediction, row.status) == (None, prediction, "to_review")
        make_annotation(session, image)
        newest = make_annotation(session, image, label="normal", mask_blob_key=None, area=0)
        row = get_image_row(session, image.id)
        assert (row.annotation, row.prediction, row.status) == (newest, prediction, "corrected")


def test_an_image_that_could_not_be_scored_has_failed_until_it_is_scored(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        image = make_image(session, project_id, 1)
        image.scoring_error = "The file is gone."
        assert get_image_row(session, image.id).status == "failed"
        assert unscored_images(session, project_id, 10) == []
        make_prediction(session, image, version)
        assert image.scoring_error is None
        assert get_image_row(session, image.id).status == "to_review"


def test_failed_images_of_a_project_can_be_tried_again(database: Database) -> None:
    with database.session() as session:
        project_id, other_id = make_project(session), make_project(session, "other")
        make_version(session, project_id)
        image, other = make_image(session, project_id, 1), make_image(session, other_id, 1)
        image.scoring_error = other.scoring_error = "Out of memory."
        clear_scoring_errors(session, project_id)
        assert unscored_images(session, project_id, 10) == [image]
        assert get_image_row(session, other.id).status == "failed"


def test_an_image_is_unscored_again_when_another_version_becomes_active(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        image = make_image(session, project_id, 1)
        make_prediction(session, image, make_version(session, project_id))
        assert unscored_images(session, project_id, 10) == []
        make_version(session, project_id)
        row = get_image_row(session, image.id)
        assert (row.prediction, row.status) == (None, "unscored")
        assert unscored_images(session, project_id, 10) == [image]


def test_a_corrected_image_is_scored_anew_too(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        make_version(session, project_id)
        image = make_image(session, project_id, 1)
        make_annotation(session, image)
        assert unscored_images(session, project_id, 10) == [image]


def test_what_waits_for_a_score_is_counted_corrected_or_not(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        images = [make_image(session, project_id, number) for number in range(6)]
        assert count_waiting(session, project_id) == count_with_old_score(session, project_id) == 0
        old = make_version(session, project_id)
        for image in images[:3]:
            make_prediction(session, image, old)
        version = make_version(session, project_id)
        make_annotation(session, images[0])
        make_annotation(session, images[5])
        images[1].scoring_error = images[4].scoring_error = "The file is gone."
        assert (count_waiting(session, project_id), count_with_old_score(session, project_id)) == (4, 2)
        assert len(unscored_images(session, project_id, 10)) == 4
        for image in images:
            make_prediction(session, image, version)
        assert count_waiting(session, project_id) == count_with_old_score(session, project_id) == 0


def test_nothing_waits_for_scoring_without_an_active_version(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        image = make_image(session, project_id, 1)
        assert unscored_images(session, project_id, 10) == []
        assert get_image_row(session, image.id).status == "unscored"


def test_the_newest_upload_is_scored_first(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        make_version(session, project_id)
        images = [make_image(session, project_id, number) for number in range(5)]
        assert unscored_images(session, project_id, 2) == [images[4], images[3]]


def test_images_are_counted_by_status_and_project(database: Database) -> None:
    with database.session() as session:
        project_id, other_id = make_project(session), make_project(session, "other")
        version, _ = make_version(session, project_id), make_version(session, other_id)
        images = [make_image(session, project_id, number) for number in range(10)]
        make_image(session, other_id, 1)
        for image in images[:6]:
            make_prediction(session, image, version)
        for image in images[4:7]:  # the last of them not scored
            make_annotation(session, image)
        images[9].scoring_error = "The file is gone."
        counts = count_by_status(session, project_id)
        assert counts == {"unscored": 2, "failed": 1, "to_review": 4, "corrected": 3}
        assert sum(counts.values()) == len(images)
        assert _counted_one_by_one(session, [image.id for image in images]) == counts


def test_an_empty_project_has_every_status_at_zero(database: Database) -> None:
    with database.session() as session:
        assert count_by_status(session, make_project(session)) == dict.fromkeys(STATUSES, 0)


def test_an_image_that_does_not_exist_has_no_row(database: Database) -> None:
    with database.session() as session, pytest.raises(NotFound, match="no image 99"):
        get_image_row(session, 99)


def test_scoring_an_image_twice_makes_no_second_row(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        image = make_image(session, project_id, 1)
        for score in (0.2, 0.9):
            save_prediction(
                session,
                image_id=image.id,
                prompt_version_id=version.id,
                score=score,
                map_blob_key=f"11/{'1' * 64}",
                map_max=score,
                engine_settings={},
            )
        assert count_by_status(session, project_id)["to_review"] == 1


def _counted_one_by_one(session: Session, image_ids: list[int]) -> dict[str, int]:
    statuses = [get_image_row(session, image_id).status for image_id in image_ids]
    return {status: statuses.count(status) for status in STATUSES}
