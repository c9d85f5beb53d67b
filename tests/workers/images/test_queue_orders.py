"""Queues are brought in order in the background, whoever set the threshold and whichever process is left with it."""

import pytest
from sqlalchemy import select

from db.images import queue_orders as rows
from db.images.review_queue import expected_gain
from db.tables.core import Prediction
from tests.conftest import Installation
from tests.workers.making import add
from workers.images.queue_orders import order_queues
from workers.projects.changes import change_project
from workers.scoring.scorer import score_unscored


def test_what_a_new_threshold_left_is_ordered(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "AT_ONCE", 1)
    store, project_id = installation.store, installation.project_id
    for seed in range(3):
        add(installation, seed=seed)
    score_unscored(store, project_id, limit=10)
    change_project(store, project_id, settings={"threshold": 0.31})
    with store.session(read_only=True) as session:
        assert rows.unordered_projects(session) == [project_id]
    order_queues(store)
    with store.session(read_only=True) as session:
        assert rows.unordered_projects(session) == []
        for one in session.scalars(select(Prediction)):
            gain = expected_gain(one.score, one.map_uncertainty, one.novelty, 0.31)
            assert one.expected_gain == pytest.approx(gain)
