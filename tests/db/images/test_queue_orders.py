"""Another threshold orders the queue bit by bit: nobody waits for it, nothing is left out, and a later one wins."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.images import queue_orders
from db.images.pages import list_images
from db.images.queue_orders import order_more, unordered_projects
from db.images.review_queue import expected_gain
from db.projects.projects import update_settings
from db.session import Database
from db.tables.core import Prediction
from tests.db.making import make_image, make_prediction, make_project, make_version

# Several share a score: places in the order are told apart by the image too.
SCORES = [0.1, 0.3, 0.3, 0.3, 0.3, 0.6, 0.9]


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_orders, "AT_ONCE", 2)


def scored(session: Session, name: str = "default", versions: int = 1) -> int:
    """The id of a project whose images have these scores by each version; they stand out."""
    project_id = make_project(session, name)
    made = [make_version(session, project_id) for _ in range(versions)]
    for number, score in enumerate(SCORES):
        image = make_image(session, project_id, number)
        for version in made:
            make_prediction(session, image, version, score).stands_out = True
    return project_id


def in_order(session: Session, threshold: float, version_id: int | None = None) -> list[bool]:
    """Of each prediction, the highest score first: whether its gain is by this threshold."""
    rows = select(Prediction).order_by(Prediction.score.desc(), Prediction.image_id.desc())
    if version_id is not None:
        rows = rows.where(Prediction.prompt_version_id == version_id)
    session.expire_all()
    return [
        one.expected_gain == pytest.approx(expected_gain(one.score, 0.0, 0.0, threshold)) and one.stands_out is None
        for one in session.scalars(rows)
    ]


def test_some_are_ordered_at_once_and_the_others_some_at_a_time(database: Database) -> None:
    with database.session() as session:
        project_id = scored(session)
        update_settings(session, project_id, {"threshold": 0.2})
        assert in_order(session, 0.2) == [True] * 2 + [False] * 5
        assert unordered_projects(session) == [project_id]
    for done in (4, 6, 7):
        with database.session() as session:
            assert order_more(session, project_id)
            assert in_order(session, 0.2) == [True] * done + [False] * (7 - done)
    with database.session() as session:
        assert not order_more(session, project_id) and unordered_projects(session) == []
        queue = list_images(session, project_id, order="uncertain").items
        assert [row.prediction.score for row in queue if row.prediction] == [0.3] * 4 + [0.1, 0.6, 0.9]


def test_the_version_in_use_comes_first(database: Database) -> None:
    with database.session() as session:
        project_id = scored(session, versions=3)
        in_use = session.scalar(select(Prediction.prompt_version_id).order_by(Prediction.id.desc()).limit(1))
        update_settings(session, project_id, {"threshold": 0.2})
        for _ in range(3):
            order_more(session, project_id)
        assert all(in_order(session, 0.2, in_use)) and in_order(session, 0.2).count(True) == len(SCORES)
        while order_more(session, project_id):
            pass
        assert all(in_order(session, 0.2))


def test_a_later_threshold_begins_from_the_top(database: Database) -> None:
    with database.session() as session:
        project_id = scored(session)
        for threshold in (0.2, 0.7):
            update_settings(session, project_id, {"threshold": threshold})
        assert in_order(session, 0.7) == [True] * 2 + [False] * 5
        while order_more(session, project_id):
            pass
        assert all(in_order(session, 0.7))


def test_the_same_threshold_again_orders_nothing(database: Database) -> None:
    with database.session() as session:
        project_id = scored(session)
        update_settings(session, project_id, {"threshold": 0.2})
        while order_more(session, project_id):
            pass
        update_settings(session, project_id, {"threshold": 0.2, "map_threshold": 0.3})
        assert unordered_projects(session) == []


def test_other_projects_stay_as_they_are(database: Database) -> None:
    with database.session() as session:
        project_id, other_id = scored(session), scored(session, "other")
        update_settings(session, project_id, {"threshold": 0.2})
        assert not order_more(session, other_id)
        while order_more(session, project_id):
            pass
        assert in_order(session, 0.2).count(True) == len(SCORES)
