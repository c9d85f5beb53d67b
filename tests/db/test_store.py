"""The store: database and blobs under one name."""

from pathlib import Path

from db.projects import find_project
from db.session import migrate
from db.store import open_store
from tests.db.conftest import sqlite_url
from tests.db.making import make_project


def test_a_store_holds_a_database_and_blobs_that_answer(tmp_path: Path) -> None:
    migrate(sqlite_url(tmp_path))
    store = open_store(sqlite_url(tmp_path), f"file://{tmp_path / 'blobs'}")
    store.database.ping()
    store.blobs.ping()
    with store.session() as session:
        make_project(session)
    with store.session(read_only=True) as session:
        assert find_project(session, "default") is not None
