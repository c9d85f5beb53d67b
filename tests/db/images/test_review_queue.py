"""What to correct next: near the threshold, unsure of its map, unlike what was corrected; and in line with changes."""

import pytest

from db.images.pages import list_images
from db.images.predictions import save_prediction
from db.images.review_queue import expected_gain, near_threshold, reason
from db.projects.projects import update_settings
from db.session import Database
from db.tables.core import Prediction
from tests.db.making import make_image, make_prediction, make_project, make_version


def prediction(**values: float) -> Prediction:
    return Prediction(**{"score": 1.0, "map_uncertainty": 0.0, "novelty": 0.0, **values})


def test_a_score_on_the_threshold_counts_fully_and_one_far_from_it_hardly() -> None:
    assert [near_threshold(score, 0.4) for score in (0.4, 0.5)] == pytest.approx([1.0, 0.5])
    assert near_threshold(0.9, 0.4) < 0.04


def test_the_gain_is_the_mean_of_the_three() -> None:
    assert expected_gain(0.5, 0.6, 0.2, 0.5) == pytest.approx(0.6)


@pytest.mark.parametrize(
    "values, name",
    [
        ({"score": 0.52}, "near_threshold"),
        ({"map_uncertainty": 0.7}, "map_unsure"),
        ({"map_uncertainty": 0.7, "novelty": 0.8}, "unlike_corrected"),
    ],
)
def test_the_reason_is_the_one_that_says_most(values: dict[str, float], name: str) -> None:
    assert reason(prediction(**values), 0.5) == name


def test_the_queue_begins_with_the_largest_gain_and_follows_the_threshold(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        low, high, unlike = (make_image(session, project_id, number) for number in range(3))
        make_prediction(session, low, version, 0.3)
        make_prediction(session, high, version, 0.8)
        save_prediction(
            session,
            image_id=unlike.id,
            prompt_version_id=version.id,
            score=0.99,
            map_blob_key="11/1",
            map_max=1.0,
            map_uncertainty=0.3,
            novelty=0.4,
            engine_settings={},
        )

        def queue() -> list[int]:
            return [row.image.id for row in list_images(session, project_id, order="uncertain").items]

        update_settings(session, project_id, {"threshold": 0.35})
        assert queue() == [low.id, unlike.id, high.id]
        update_settings(session, project_id, {"threshold": 0.81})
        assert queue() == [high.id, unlike.id, low.id]


def test_a_changed_threshold_orders_as_scoring_with_it_does(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        version, image = make_version(session, project_id), make_image(session, project_id, 1)
        kept = make_prediction(session, image, version, 0.37)
        update_settings(session, project_id, {"threshold": 0.42})
        session.refresh(kept)
        changed = kept.expected_gain
        assert changed == pytest.approx(make_prediction(session, image, version, 0.37).expected_gain)


def test_another_projects_threshold_changes_nothing(database: Database) -> None:
    with database.session() as session:
        project_id, other_id = make_project(session), make_project(session, "other")
        kept = make_prediction(session, make_image(session, project_id, 1), make_version(session, project_id), 0.5)
        before = kept.expected_gain
        update_settings(session, other_id, {"threshold": 0.9})
        session.refresh(kept)
        assert kept.expected_gain == before
