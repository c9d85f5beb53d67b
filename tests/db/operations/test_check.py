"""The check finds rows and blobs that don't belong together and mends what can be made again; it deletes no work."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import select, text

from db.blobs import BlobStore
from db.operations.check import Finding, check, lost_blobs
from db.session import Database
from db.store import Store
from db.tables.core import Annotation, Image, Prediction, TuningRun
from tests.db.making import (
    make_project,
    make_run,
    make_version,
    make_whole_image,
)


@pytest.fixture
def store(database: Database, tmp_path: Path) -> Store:
    """Three whole images, with everything that can belong to one."""
    store = Store(database, BlobStore(f"file://{tmp_path / 'blobs'}"))
    with store.session() as session:
        project_id = make_project(session)
        version = make_version(session, project_id)
        version.blob_key = store.blobs.put(b"prompts")
        for number in range(3):
            make_whole_image(session, store, project_id, version, number)
        run = make_run(session, project_id, parent_version_id=version.id)
        run.checkpoint_blob_key = store.blobs.put(b"checkpoint")
    return store


def rows(store: Store, table: type) -> list:
    with store.session(read_only=True) as session:
        return list(session.scalars(select(table).order_by(table.id)))


def key_of(store: Store, data: bytes) -> str:
    return store.blobs.put(data)


def age(tmp_path: Path, hours: float = 2) -> None:
    """Make every file older, as if what wrote it had ended long ago."""
    then = time.time() - 3600 * hours
    for path in (tmp_path / "blobs").rglob("*"):
        os.utime(path, (then, then))


def test_what_is_whole_gives_nothing_to_find(store: Store, tmp_path: Path) -> None:
    age(tmp_path)
    assert check(store) == check(store, mend=True) == check(store, deep=True, mend=True) == []
    assert [len(rows(store, table)) for table in (Image, Prediction, Annotation)] == [3, 3, 3]


def test_a_prediction_without_a_map_is_deleted_and_so_made_again(store: Store) -> None:
    store.blobs.delete(key_of(store, b"map 1"))
    [found] = check(store)
    assert "1 predictions have no map: 2." in found.sentence and not found.mended
    assert len(rows(store, Prediction)) == 3
    [found] = check(store, mend=True)
    assert found.mended and [one.image_id for one in rows(store, Prediction)] == [1, 3]
    assert check(store) == []


def test_a_run_without_its_checkpoint_goes_on_from_the_beginning(store: Store) -> None:
    store.blobs.delete(key_of(store, b"checkpoint"))
    [found] = check(store, mend=True)
    assert "no checkpoint" in found.sentence and found.mended
    assert [run.checkpoint_blob_key for run in rows(store, TuningRun)] == [None]


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (b"image 0", "images have no file: 1"),
        (b"mask 2", "annotations have no mask: 3"),
        (b"prompts", "prompt versions"),
    ],
)
def test_what_a_person_gave_stays_and_can_come_back_from_a_backup(store: Store, lost: bytes, said: str) -> None:
    key = key_of(store, lost)
    store.blobs.delete(key)
    [found] = check(store, mend=True)
    assert said in found.sentence and not found.mended and "--blobs-from" in found.advice
    assert [len(rows(store, table)) for table in (Image, Annotation)] == [3, 3]
    assert lost_blobs(store) == {key}


def test_a_file_that_belongs_to_nothing_is_deleted_once_it_is_old(store: Store, tmp_path: Path) -> None:
    key = key_of(store, b"nobody's")
    assert check(store, mend=True) == []  # a row that names it may be on its way
    age(tmp_path)
    assert check(store) == [], "the schedule deletes it"
    age(tmp_path, hours=25)
    assert "1 files belong to nothing" in check(store)[0].sentence, "it did not"
    age(tmp_path)
    [found] = check(store, mend=True)
    assert "1 files belong to nothing" in found.sentence and found.mended
    assert not store.blobs.exists(key)


def test_what_a_killed_process_left_is_deleted_once_it_is_old(store: Store, tmp_path: Path) -> None:
    half = tmp_path / "blobs" / key_of(store, b"image 0")[:2] / f".{'0' * 32}"
    half.write_bytes(b"half of a")
    assert check(store) == []
    age(tmp_path)
    assert check(store) == [], "the schedule deletes it"
    age(tmp_path, hours=25)
    assert "half-written" in check(store)[0].sentence, "it did not"
    check(store, mend=True)
    assert not half.exists()


def test_damage_is_found_by_reading_and_only_what_can_be_made_again_is_deleted(store: Store, tmp_path: Path) -> None:
    image, its_map = key_of(store, b"image 0"), key_of(store, b"map 0")
    for key in (image, its_map):
        (tmp_path / "blobs" / key).write_bytes(b"rotten")
    assert check(store) == []
    said = " ".join(found.sentence for found in check(store, deep=True, mend=True))
    assert "2 files have other bytes" in said and "images have no file: 1" in said and "no map: 1" in said
    assert (tmp_path / "blobs" / image).exists() and not (tmp_path / "blobs" / its_map).exists()
    assert lost_blobs(store, deep=True) == {image} and lost_blobs(store) == set()


def test_an_image_that_failed_while_its_file_was_away_is_tried_again(store: Store) -> None:
    with store.session() as session:
        image = session.get(Image, 1)
        assert image is not None
        image.scoring_error = f"The file {image.blob_key} is missing in file:///somewhere."
    [found] = check(store, mend=True)
    assert "failed for want of a file" in found.sentence
    assert rows(store, Image)[0].scoring_error is None


def test_predictions_of_prompts_or_images_that_do_not_exist_are_deleted(store: Store) -> None:
    lose(store, "DELETE FROM images WHERE id = 2")
    findings: list[Finding] = check(store, mend=True)
    said = " ".join(found.sentence for found in findings)
    assert "1 rows of predictions name images that don't exist: 2." in said
    assert "1 rows of annotations name images that don't exist: 2." in said  # told, not deleted
    assert [one.image_id for one in rows(store, Prediction)] == [1, 3]
    assert len(rows(store, Annotation)) == 3


def lose(store: Store, statement: str) -> None:
    """What only a database restored by hand can have: rows are gone and what refers to them is not."""
    with store.database.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            raw = connection.connection.driver_connection
            assert raw is not None
            connection.rollback()
            raw.execute("PRAGMA foreign_keys = OFF")
            raw.execute("PRAGMA query_only = OFF")
            raw.execute(statement)
            raw.execute("PRAGMA foreign_keys = ON")
        else:
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text(statement))
            connection.execute(text("SET session_replication_role = DEFAULT"))
            connection.commit()
