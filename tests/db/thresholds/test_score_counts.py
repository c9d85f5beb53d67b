"""Scores counted range by range: the same as counting them one by one, also where they lie on an edge."""

from bisect import bisect_right

import pytest

from db.session import Database
from db.thresholds.score_counts import count_by_step, count_up_to_step, sum_of_scores
from tests.db.making import make_image, make_prediction, make_project, make_version

SCORES = [0.0, 0.0005, 0.001, 0.05, 0.05, 0.0999, 0.1, 0.3, 0.7, 0.95, 0.999, 1.0]


@pytest.fixture
def version_id(database: Database) -> int:
    """A version with these scores; another one has said something else."""
    with database.session() as session:
        project_id = make_project(session)
        other, version = make_version(session, project_id), make_version(session, project_id)
        for number, score in enumerate(SCORES):
            image = make_image(session, project_id, number)
            make_prediction(session, image, version, score)
            make_prediction(session, image, other, 0.5)
        return version.id


def test_a_step_begins_with_its_lower_end_and_the_last_one_holds_1(database: Database, version_id: int) -> None:
    expected = [0] * 1000
    for score in SCORES:
        expected[min(999, int(score * 1000 + 1e-9))] += 1
    with database.session(read_only=True) as session:
        assert count_by_step(session, version_id, 1000) == expected


def test_a_bucket_holds_all_scores_up_to_its_upper_end(database: Database, version_id: int) -> None:
    expected = [bisect_right(SCORES, (step + 1) / 20) for step in range(20)]
    with database.session(read_only=True) as session:
        assert count_up_to_step(session, version_id, 20) == expected
        assert sum_of_scores(session, version_id) == pytest.approx(sum(SCORES))


def test_a_version_that_has_scored_nothing_has_no_scores(database: Database) -> None:
    with database.session() as session:
        version = make_version(session, make_project(session))
        assert count_by_step(session, version.id, 10) == count_up_to_step(session, version.id, 10) == [0] * 10
        assert sum_of_scores(session, version.id) == 0.0
