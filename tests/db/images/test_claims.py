"""Claims: an image is with one worker at a time, and comes back when that worker dies or lets go."""

from datetime import timedelta

import pytest

from db.images.claims import claim_images, drop_claims, end_claims, held_by, renew_claims, unclaimed_images
from db.images.images import delete_image
from db.session import Database
from db.tables.core import Image
from db.training.prompt_versions import activate
from tests.db.making import at_once, make_image, make_prediction, make_project, make_version

LONG = timedelta(minutes=5)
OVER = timedelta(0)


@pytest.fixture
def image_ids(database: Database) -> list[int]:
    """Ten images that a version has not scored."""
    with database.session() as session:
        project_id = make_project(session)
        make_version(session, project_id)
        return [make_image(session, project_id, number).id for number in range(10)]


def claim(database: Database, image_ids: list[int], worker: str, lease: timedelta = LONG) -> list[int]:
    with database.session() as session:
        return claim_images(session, image_ids, worker, lease)


def free(database: Database) -> list[int]:
    with database.session(read_only=True) as session:
        return [image.id for image in unclaimed_images(session, 1, 100)]


def test_what_one_worker_has_no_other_gets(database: Database, image_ids: list[int]) -> None:
    wanted = [image_ids[5], image_ids[2]]
    assert claim(database, wanted, "one") == wanted
    assert claim(database, image_ids[:6], "other") == [one for one in image_ids[:6] if one not in wanted]
    assert free(database) == image_ids[:5:-1]


def test_of_workers_that_claim_at_once_each_image_goes_to_one(database: Database, image_ids: list[int]) -> None:
    taken = at_once(8, lambda number: claim(database, image_ids[: number + 3], f"worker {number}"))
    assert not [one for one in taken if isinstance(one, Exception)]
    everything = [image_id for one in taken for image_id in one]  # type: ignore[union-attr]
    assert len(set(everything)) == len(everything)


def test_a_claim_that_is_over_is_anothers_to_take(database: Database, image_ids: list[int]) -> None:
    claim(database, image_ids[:2], "dead", OVER)
    assert free(database) == image_ids[::-1]
    assert claim(database, image_ids[:2], "alive") == image_ids[:2]
    with database.session() as session:
        renew_claims(session, "dead", LONG)  # it was only slow: what it lost stays lost
        assert (held_by(session, "dead", image_ids), held_by(session, "alive", image_ids)) == ([], image_ids[:2])


def test_a_claim_that_is_renewed_is_not_over(database: Database, image_ids: list[int]) -> None:
    claim(database, image_ids[:1], "slow", OVER)
    with database.session() as session:
        renew_claims(session, "slow", LONG)
    assert claim(database, image_ids[:1], "other") == []


def test_what_is_scored_or_failed_or_deleted_is_not_claimed(database: Database, image_ids: list[int]) -> None:
    with database.session() as session:
        version = make_version(session, 1)
        scored, failed, gone = (session.get_one(Image, image_id) for image_id in image_ids[:3])
        make_prediction(session, scored, version)
        failed.scoring_error = "it can't be read"
        delete_image(session, gone.id)
    assert claim(database, image_ids[:4], "one") == image_ids[3:4]


def test_another_version_has_everything_to_score_again(database: Database, image_ids: list[int]) -> None:
    with database.session() as session:
        version = make_version(session, 1)
        make_prediction(session, session.get_one(Image, image_ids[0]), version)
    assert claim(database, image_ids[:1], "one") == []
    with database.session() as session:
        activate(session, make_version(session, 1, active=False).id)
    assert claim(database, image_ids[:1], "one") == image_ids[:1]


def test_claims_end_with_the_score_or_when_the_worker_lets_go(database: Database, image_ids: list[int]) -> None:
    claim(database, image_ids[:3], "one")
    with database.session() as session:
        end_claims(session, image_ids[:1])
        assert held_by(session, "one", image_ids) == image_ids[1:3]
        drop_claims(session, "one", image_ids[2:])
        assert held_by(session, "one", image_ids) == image_ids[1:2]  # of another thread's batch
        drop_claims(session, "one", image_ids)
    assert free(database) == image_ids[::-1]


def test_a_claim_goes_with_its_image(database: Database, image_ids: list[int]) -> None:
    claim(database, image_ids[:1], "one")
    with database.session() as session:
        delete_image(session, image_ids[0])
    with database.session() as session:
        assert held_by(session, "one", image_ids) == []
