"""Databases to test on: every test that asks for `url` or `database` runs on SQLite and on a real PostgreSQL."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from db.migrate import migrate
from db.session import Database

POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg://postgres@127.0.0.1:5432/test")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Engine | None]:
    """The PostgreSQL server; None where there is none."""
    pytest.importorskip("psycopg", reason="psycopg, the PostgreSQL driver, is not installed")
    engine = create_engine(POSTGRES, connect_args={"connect_timeout": 5})
    try:
        engine.connect().close()
    except OperationalError:
        yield None
    else:
        yield engine
    engine.dispose()


@contextmanager
def scratch_url(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The URL of an empty database of the kind that `request` names: a file in a folder, or a schema of its own."""
    if request.param == "sqlite":
        yield sqlite_url(folder)
        return
    with schema_url(request.getfixturevalue("postgres")) as made:
        yield made


@contextmanager
def schema_url(server: Engine | None) -> Iterator[str]:
    """The URL of an empty schema of that PostgreSQL; the test is skipped where there is none."""
    if server is None:
        pytest.skip(f"no PostgreSQL answers at {POSTGRES}; start one, or name another in TEST_POSTGRES_URL")
    schema = f"scratch_{uuid4().hex}"
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    scratch = make_url(POSTGRES).update_query_dict({"options": f"-csearch_path={schema}"})
    yield scratch.render_as_string(hide_password=False)
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of its own."""
    with scratch_url(request, tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database, to be copied: that takes a tenth of the time of migrating another one."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(sqlite_url(folder))
    return folder / "home" / "test.db"


@pytest.fixture
def database(url: str, tmp_path: Path, sqlite_file: Path) -> Iterator[Database]:
    """An empty database with tables."""
    if url == sqlite_url(tmp_path):
        _copy(sqlite_file, tmp_path)
    else:
        migrate(url)
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def sqlite(tmp_path: Path, sqlite_file: Path) -> Iterator[Database]:
    """An empty SQLite database with tables, for what only SQLite needs."""
    _copy(sqlite_file, tmp_path)
    database = Database(sqlite_url(tmp_path))
    yield database
    database.close()


def sqlite_url(folder: Path) -> str:
    """A SQLite file in a folder that does not exist yet."""
    return f"sqlite:///{folder / 'home' / 'test.db'}"


def _copy(file: Path, folder: Path) -> None:
    (folder / "home").mkdir()
    shutil.copy(file, folder / "home" / "test.db")
