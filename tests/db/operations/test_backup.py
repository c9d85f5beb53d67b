"""Backups hold the rows and the blobs of one moment, and come back into either database, or not at all."""

import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from db.blobs import BlobStore
from db.errors import BadBackup
from db.images.images import delete_image
from db.migrate import downgrade, migrate
from db.operations.backup import write_backup
from db.operations.restore import read_blobs, restore_backup
from db.session import Database
from db.store import Store, open_store
from db.tables.core import Annotation, Image, PromptVersion
from db.tables.metadata import TABLES
from tests.db.conftest import scratch_url, sqlite_url
from tests.db.making import (
    make_annotation,
    make_image,
    make_project,
    make_run,
    make_version,
    make_whole_image,
)

IMAGES = 20


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Store:
    """Images with predictions and masks, a run, and the blobs that belong to them."""
    store = Store(database, BlobStore(f"file://{tmp_path / 'blobs'}"))
    with store.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        version.blob_key = store.blobs.put(b"prompts")
        annotations = []
        for number in range(IMAGES):
            annotations.append(make_whole_image(session, store, project_id, version, number, number / IMAGES).id)
        make_run(session, project_id, annotations, parent_version_id=version.id)
    return store


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database to restore into, of either kind."""
    with scratch_url(request, tmp_path / "other") as url:
        yield url


def contents(store: Store) -> dict[str, list[tuple]]:
    """Every row of every table, and the bytes of every blob that they name."""
    with store.session(read_only=True) as session:
        rows = {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(table.c.id))]
            for table in TABLES.sorted_tables
            if "id" in table.c
        }
        keys = list(session.scalars(select(Image.blob_key).order_by(Image.id)))
    return {**rows, "bytes": [(store.blobs.get(key),) for key in keys]}


def test_what_comes_back_is_what_was_there_in_either_database(store: Store, tmp_path: Path, other_url: str) -> None:
    file, written = write_backup(store, tmp_path)
    assert written.missing == [] and written.blobs == 3 * IMAGES + 1
    other = open_store(other_url, f"file://{tmp_path / 'other-blobs'}")
    restore_backup(file, other_url, other.blobs)
    assert contents(other) == contents(store)
    other.database.close()


def test_ids_go_on_after_the_highest_that_was_ever_given(store: Store, tmp_path: Path, other_url: str) -> None:
    with store.session() as session:
        newest = session.scalars(select(Image.id).order_by(Image.id.desc())).first()
        assert newest is not None
        delete_image(session, newest)
    file, _ = write_backup(store, tmp_path)
    other = open_store(other_url, f"file://{tmp_path / 'other-blobs'}")
    restore_backup(file, other_url, other.blobs)
    with other.session() as session:
        project_id = make_project(session)
        assert make_image(session, project_id, 999).id == newest + 1
    other.database.close()


def test_a_backup_is_of_one_moment_while_others_add_and_delete(store: Store, tmp_path: Path) -> None:
    stop = threading.Event()

    def work() -> None:
        number = 1000
        while not stop.is_set():
            number += 1
            data = b"image %d" % number
            key = store.blobs.put(data)
            with store.session() as session:
                project_id = make_project(session)
                image = make_image(session, project_id, number, blob_key=key)
                make_annotation(session, image, mask_blob_key=store.blobs.put(b"mask %d" % number))
            if number % 2:
                with store.session() as session:
                    keys = delete_image(session, image.id)
                store.delete_blobs(keys)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        files = [write_backup(store, tmp_path / f"{number}.tar") for number in range(5)]
    finally:
        stop.set()
        thread.join()
    for number, (file, written) in enumerate(files):
        assert written.missing == []
        other = open_store(sqlite_url(tmp_path / f"at{number}"), f"file://{tmp_path / f'blobs{number}'}")
        restore_backup(file, sqlite_url(tmp_path / f"at{number}"), other.blobs)
        with other.session(read_only=True) as session:
            images = list(session.scalars(select(Image)))
            annotated = set(session.scalars(select(Annotation.image_id)))
        assert {image.id for image in images} == annotated  # an image and its annotation were one transaction
        assert all(other.blobs.exists(image.blob_key) for image in images)
        other.database.close()


def test_rows_are_replaced_only_when_told_so(store: Store, url: str, tmp_path: Path) -> None:
    file, _ = write_backup(store, tmp_path)
    before = contents(store)
    with store.session() as session:
        make_project(session, "made later")
    store.database.close()
    with pytest.raises(BadBackup, match="not empty"):
        restore_backup(file, url, store.blobs)
    with store.session(read_only=True) as session:
        assert session.scalar(text("SELECT count(*) FROM projects")) == 2
    store.database.close()
    restore_backup(file, url, store.blobs, replace=True)
    assert contents(store) == before


def test_a_backup_of_older_tables_is_brought_up_to_date(store: Store, url: str, tmp_path: Path) -> None:
    store.database.close()
    downgrade(url, "0002_what_to_correct_next")
    file, written = write_backup(store, tmp_path)
    assert written.revision == "0002_what_to_correct_next"
    store.database.close()
    restore_backup(file, url, store.blobs, replace=True)
    assert len(contents(store)["images"]) == IMAGES


@pytest.mark.parametrize("fault", ["cut off", "other bytes", "no backup"])
def test_a_damaged_backup_is_refused_and_changes_no_row(store: Store, tmp_path: Path, fault: str) -> None:
    file, _ = write_backup(store, tmp_path)
    data = file.read_bytes()
    damaged = {
        "cut off": data[: len(data) // 2],
        "other bytes": data.replace(b"image 7", b"image 8", 1),
        "no backup": b"something else",
    }
    file.write_bytes(damaged[fault])
    other = open_store(sqlite_url(tmp_path / "other"), f"file://{tmp_path / 'other-blobs'}")
    with pytest.raises(BadBackup):
        restore_backup(file, sqlite_url(tmp_path / "other"), other.blobs)
    migrate(sqlite_url(tmp_path / "other"))
    with other.session(read_only=True) as session:
        assert session.scalars(select(PromptVersion)).all() == []
    other.database.close()


def test_a_backup_of_a_newer_version_is_refused(store: Store, tmp_path: Path) -> None:
    file, _ = write_backup(store, tmp_path)
    newer = tmp_path / "newer.tar"
    with tarfile.open(file) as old, tarfile.open(newer, "w") as new:
        for entry in old:
            data = old.extractfile(entry).read()  # type: ignore[union-attr]
            if entry.name == "manifest.json":
                data = json.dumps({**json.loads(data), "revision": "9999"}).encode()
                entry.size = len(data)
            new.addfile(entry, io.BytesIO(data))
    with pytest.raises(BadBackup, match="newer version"):
        restore_backup(newer, sqlite_url(tmp_path / "other"), store.blobs)


def test_a_backup_replaces_no_file_and_leaves_no_part(store: Store, tmp_path: Path) -> None:
    (tmp_path / "mine.tar").touch()
    with pytest.raises(BadBackup, match="there already"):
        write_backup(store, tmp_path / "mine.tar")
    file, _ = write_backup(store, tmp_path)
    assert {path.name for path in tmp_path.glob("*.tar*")} == {"mine.tar", file.name}
    assert not list(tmp_path.glob(".*.part"))
    assert file.stat().st_mode & 0o777 == 0o600, "hashes of passwords are in it"


def test_what_was_missing_already_is_named(store: Store, tmp_path: Path) -> None:
    with store.session(read_only=True) as session:
        key = session.scalars(select(Image.blob_key)).first()
    assert key is not None
    store.blobs.delete(key)
    assert write_backup(store, tmp_path)[1].missing == [key]


def test_single_blobs_can_be_read_from_a_backup(store: Store, tmp_path: Path) -> None:
    file, _ = write_backup(store, tmp_path)
    key = store.blobs.put(b"image 3")
    assert list(read_blobs(file, [key, "00/" + "0" * 64])) == [(key, b"image 3")]
