"""What is old is deleted by a rule, and nothing that someone may still need."""

from datetime import timedelta

from sqlalchemy import select, update

from db.accounts.login_attempts import begin_attempt, counters
from db.images.images import delete_image, get_image
from db.operations.check import check
from db.tables.accounts import AuditEntry, LoginAttempts
from db.tables.base import utc_now
from db.tables.core import Prediction
from tests.conftest import Installation
from tests.workers.making import activate_copy, add
from workers.accounts.managing import note
from workers.images.correcting import mark_normal
from workers.images.pictures import sweep_thumbnails, thumbnail_bytes
from workers.operations.pruning import prune
from workers.scoring.scorer import score_unscored

LONG = timedelta(days=400)


def score(installation: Installation) -> None:
    score_unscored(installation.store, installation.project_id, limit=10)


def age_predictions(installation: Installation) -> None:
    with installation.store.session() as session:
        session.execute(update(Prediction).values(created_at=utc_now() - LONG))


def test_what_retired_versions_said_goes_with_its_maps(installation: Installation) -> None:
    plain, corrected = add(installation, seed=1), add(installation, seed=2)
    mark_normal(installation.store, corrected)
    score(installation)
    activate_copy(installation)
    age_predictions(installation)
    assert prune(installation.store)["predictions of retired versions"] == 0, "the active version has not scored yet"
    score(installation)
    with installation.store.session(read_only=True) as session:
        old = select(Prediction).where(Prediction.image_id == plain).order_by(Prediction.id)
        key = session.scalars(old).first().map_blob_key
    assert prune(installation.store)["predictions of retired versions"] == 1
    with installation.store.session(read_only=True) as session:
        left = [row.image_id for row in session.scalars(select(Prediction))]
        named = {row.map_blob_key for row in session.scalars(select(Prediction))}
    assert sorted(left) == [plain, corrected, corrected]
    assert installation.store.blobs.exists(key) is (key in named) and check(installation.store) == []


def test_old_entries_of_accounts_go_and_young_ones_stay(installation: Installation) -> None:
    for name in ("old", "young"):
        note(installation.store, user_name=name, via="session", address="::1", action="signed in")
    with installation.store.session() as session:
        session.execute(update(AuditEntry).where(AuditEntry.user_name == "old").values(at=utc_now() - LONG))
        begin_attempt(session, counters("ada", "::1", 5), wait=timedelta(minutes=1))
        session.execute(update(LoginAttempts).values(first_at=utc_now() - LONG))
    assert prune(installation.store)["entries of accounts"] == 3
    with installation.store.session(read_only=True) as session:
        assert [one.user_name for one in session.scalars(select(AuditEntry))] == ["young"]


def test_thumbnails_of_deleted_images_go(installation: Installation) -> None:
    store, ids = installation.store, [add(installation, seed=seed) for seed in range(2)]
    with store.session(read_only=True) as session:
        images = [get_image(session, one) for one in ids]
    for image in images:
        thumbnail_bytes(store, image)
    assert sweep_thumbnails(store) == 0
    with store.session() as session:
        store_keys = delete_image(session, ids[0])
    store.delete_blobs(store_keys)
    assert sweep_thumbnails(store) == 1
    assert [file.stem for file in (installation.home / "thumbnails").rglob("*.jpg")] == [images[1].sha256]
