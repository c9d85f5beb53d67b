"""The store: database and blobs under one name, and no blob deleted that a row is about to name."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from db.blobs import BlobStore
from db.images.images import delete_image
from db.migrate import migrate
from db.projects.projects import find_project
from db.session import Database
from db.store import Store, open_store
from db.tables.core import Image
from tests.db.conftest import sqlite_url
from tests.db.making import make_annotation, make_image, make_prediction, make_project, make_version

DATA = b"the same bytes"


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Store:
    return Store(database, BlobStore(f"file://{tmp_path / 'blobs'}"))


def test_a_store_holds_a_database_and_blobs_that_answer(tmp_path: Path) -> None:
    migrate(sqlite_url(tmp_path))
    store = open_store(sqlite_url(tmp_path), f"file://{tmp_path / 'blobs'}")
    store.database.ping()
    store.blobs.ping()
    with store.session() as session:
        make_project(session)
    with store.session(read_only=True) as session:
        assert find_project(session, "default") is not None


def test_only_blobs_that_no_row_names_are_deleted(store: Store) -> None:
    keys = [store.blobs.put(data) for data in (b"image", b"map", b"mask", b"prompts", b"nobody's")]
    with store.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        version.blob_key = keys[3]
        image = make_image(session, project_id, 1, blob_key=keys[0])
        make_prediction(session, image, version).map_blob_key = keys[1]
        make_annotation(session, image, mask_blob_key=keys[2])
    assert store.delete_blobs(keys) == 1
    assert [store.blobs.exists(key) for key in keys] == [True, True, True, True, False]


def test_bytes_that_come_again_while_they_are_deleted_are_there_in_the_end(store: Store) -> None:
    with store.session() as session:
        project_ids = [make_project(session, name) for name in ("one", "two")]

    def upload(project_id: int) -> int:
        store.blobs.put(DATA)
        with store.session() as session:
            key = store.keep_until_named(session, DATA)
            return make_image(session, project_id, 1, blob_key=key).id

    def upload_and_delete(project_id: int) -> None:
        for _ in range(40):
            image_id = upload(project_id)
            with store.session() as session:
                keys = delete_image(session, image_id)
            store.delete_blobs(keys)

    others = [threading.Thread(target=upload_and_delete, args=(project_id,)) for project_id in project_ids]
    for thread in others:
        thread.start()
    while any(thread.is_alive() for thread in others):
        with store.session() as session:
            project_id = make_project(session, "kept")
        image_id = upload(project_id)
        with store.session(read_only=True) as session:
            assert store.blobs.get(session.scalars(select(Image.blob_key).filter_by(id=image_id)).one()) == DATA
        with store.session() as session:
            keys = delete_image(session, image_id)
        store.delete_blobs(keys)
    for thread in others:
        thread.join()


def test_a_blob_that_can_not_be_deleted_now_stays_without_an_error(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    key = store.blobs.put(DATA)
    (tmp_path / "blobs").rename(tmp_path / "away")
    (tmp_path / "blobs").write_text("a file where the folder should be")
    store.delete_blobs([key])
    assert "stay where they are" in caplog.text


def test_what_is_not_named_after_all_is_cleared_up_and_what_another_row_names_stays(store: Store) -> None:
    named, mine, replaced = (store.blobs.put(data) for data in (b"named", b"mine", b"replaced"))
    with store.session() as session:
        project_id = make_project(session)
        make_image(session, project_id, 1, blob_key=named)
    with pytest.raises(RuntimeError), store.clearing_up([named, mine]), store.session():
        raise RuntimeError("someone saved in between")
    assert [store.blobs.exists(key) for key in (named, mine, replaced)] == [True, False, True]
    mine = store.blobs.put(b"mine")
    with store.clearing_up([mine]) as left, store.session() as session:
        make_image(session, project_id, 2, blob_key=mine)
        left.update([replaced, named])
    assert [store.blobs.exists(key) for key in (named, mine, replaced)] == [True, True, False]


def test_what_went_wrong_is_told_though_nothing_can_be_cleared_up(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OSError("the database is away")

    key = store.blobs.put(DATA)
    with pytest.raises(RuntimeError, match="first"), store.clearing_up([key]):
        monkeypatch.setattr(Store, "session", away)
        raise RuntimeError("what went wrong first")
    assert store.blobs.exists(key)
