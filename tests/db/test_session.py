"""Sessions: one transaction each, safe between processes, and what SQLite must be told."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from db.migrate import migrate
from db.projects.projects import find_project
from db.session import Database
from db.tables.core import Image, Project
from tests.db.making import in_processes, make_image, make_project

# Reads a number and writes it back increased by one, 20 times.
COUNT_UP = """
import sys
from db.projects.projects import ensure_project, lock_project
from db.session import Database
database = Database(sys.argv[1])
for _ in range(20):
    with database.session() as session:
        project = lock_project(session, ensure_project(session, "default").id)
        project.settings = {"count": project.settings["count"] + 1}
"""


def test_what_is_done_in_the_block_is_kept(database: Database) -> None:
    with database.session() as session:
        make_project(session)
    with database.session() as session:
        assert find_project(session, "default") is not None


def test_nobody_else_reads_the_file_with_the_hashes_of_passwords(tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    file.touch(mode=0o644)
    file.chmod(0o644)
    migrate(f"sqlite:///{file}")
    database = Database(f"sqlite:///{file}")
    with database.session() as session:
        make_project(session)
        modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("a.db*")}
    assert modes == {"a.db": 0, "a.db-wal": 0, "a.db-shm": 0}
    database.close()


def test_a_reading_session_sees_one_state_throughout(database: Database) -> None:
    with database.session(read_only=True) as reading:
        before = reading.query(Project).count()
        with database.session() as writing:
            make_project(writing)
        assert reading.query(Project).count() == before
    with database.session(read_only=True) as reading:
        assert reading.query(Project).count() == before + 1


def test_nothing_is_kept_when_the_block_raises(database: Database) -> None:
    with pytest.raises(RuntimeError), database.session() as session:
        make_project(session)
        raise RuntimeError
    with database.session() as session:
        assert find_project(session, "default") is None


def test_rows_stay_readable_after_the_block(database: Database) -> None:
    with database.session() as session:
        image = make_image(session, make_project(session), 1)
    assert image.file_name == "1.png"


def test_a_read_only_session_may_not_write(database: Database) -> None:
    with pytest.raises(DBAPIError), database.session(read_only=True) as session:
        make_project(session)
    with database.session() as session:  # nor does the connection stay read-only
        make_project(session)


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    with database.session() as writing:
        make_project(writing)
        with database.session(read_only=True) as reading:
            assert find_project(reading, "default") is None


def test_processes_that_read_and_then_write_lose_nothing_and_are_never_locked_out(database: Database, url: str) -> None:
    with database.session() as session:
        session.add(Project(name="default", settings={"count": 0}))
    in_processes(4, COUNT_UP, url)
    with database.session() as session:
        assert session.scalars(select(Project.settings)).one() == {"count": 80}


def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        make_image(session, 999, 1)


def test_every_sqlite_connection_has_wal_foreign_keys_and_patience(sqlite: Database) -> None:
    with sqlite.engine.connect() as one, sqlite.engine.connect() as another:
        for connection in (one.execution_options(read_only=True), another.execution_options(read_only=True)):
            pragmas = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in PRAGMAS]
            assert pragmas == ["wal", 1, 30_000]


PRAGMAS = ("journal_mode", "foreign_keys", "busy_timeout")


def test_times_come_back_aware_and_in_utc(database: Database) -> None:
    noon_in_tokyo = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=9)))
    with database.session() as session:
        image = make_image(session, make_project(session), 1)
        image.created_at = noon_in_tokyo
    with database.session() as session:
        created_at = session.scalars(select(Image.created_at)).one()
    assert created_at == noon_in_tokyo
    assert created_at.tzinfo is UTC


def test_ping_is_silent_when_the_tables_are_there(database: Database) -> None:
    database.ping()


def test_ping_raises_before_the_database_is_migrated(url: str) -> None:
    with pytest.raises(SQLAlchemyError):
        Database(url).ping()


def test_ping_raises_when_nobody_answers() -> None:
    with pytest.raises(SQLAlchemyError):
        Database("postgresql+psycopg://postgres@127.0.0.1:1/test").ping()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="Name a file"):
        Database(url)


def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path / 'a' / 'b' / 'c.db'}")
    assert (tmp_path / "a" / "b").is_dir()
