"""The scoring thread of the page's process: what it scores, and that no error ends it."""

from collections.abc import Iterator

import pytest

from db.images.images import get_image
from db.images.rows import get_image_row
from tests.conftest import Installation
from tests.running import wait_until
from tests.workers.making import add
from workers.scoring.background import BackgroundScorer


@pytest.fixture
def scorer(installation: Installation) -> Iterator[BackgroundScorer]:
    scorer = BackgroundScorer(installation.store)
    yield scorer
    scorer.stop()


def status(installation: Installation, image_id: int) -> str:
    with installation.store.session(read_only=True) as session:
        return get_image_row(session, image_id).status


def test_it_scores_what_it_is_asked_for(installation: Installation, scorer: BackgroundScorer) -> None:
    scorer.start()
    image_id = add(installation)
    scorer.request([image_id])
    wait_until(lambda: status(installation, image_id) == "to_review", "scored")


def test_it_finds_what_nobody_asked_for(installation: Installation, scorer: BackgroundScorer) -> None:
    scorer.start()
    image_id = add(installation)
    wait_until(lambda: status(installation, image_id) == "to_review", "scored")


def test_it_outlives_a_database_that_fails(installation: Installation, scorer: BackgroundScorer) -> None:
    engine = installation.store.database.engine
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE predictions RENAME TO elsewhere")
    image_id = add(installation)
    scorer.start()
    wait_until(lambda: scorer.failure != "", "failed")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO predictions")
    wait_until(lambda: status(installation, image_id) == "to_review", "scored")
    wait_until(lambda: scorer.failure == "", "told that all is well")  # a moment after the image has its score


def test_an_image_that_fails_keeps_the_reason_and_holds_up_nobody(
    installation: Installation, scorer: BackgroundScorer
) -> None:
    lost = add(installation, seed=1)
    with installation.store.session(read_only=True) as session:
        installation.store.blobs.delete(get_image(session, lost).blob_key)
    good = add(installation, seed=2)
    scorer.start()
    wait_until(lambda: status(installation, good) == "to_review", "scored")
    wait_until(lambda: status(installation, lost) == "failed", "given up")
