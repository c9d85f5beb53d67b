"""Engines: what a connection must be told before it is of use. Knows no tables.

SQLite: WAL, so that readers and the one writer don't wait for each other; foreign keys; and transactions that start
with BEGIN IMMEDIATE, because one that reads first and writes later fails with "database is locked" as soon as another
process wrote in between. A transaction of an engine with the option `read_only` starts with a plain BEGIN, waits for
nobody, and may not write. PostgreSQL: its defaults (READ COMMITTED).
"""

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from db.errors import BadText

# How long a writer waits for another one, in ms.
BUSY_TIMEOUT = 30_000


def make_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    """An engine for a SQLAlchemy URL; a SQLite file's folder is made.

    Args:
        url: `sqlite:///file`, with `%3F` for a question mark in it, or `postgresql+psycopg://…`.
        foreign_keys: off only for migrations, which rebuild tables on SQLite.

    Raises:
        ValueError: an in-memory SQLite database, which every connection would see empty.
    """
    parsed = make_url(url)
    if parsed.database and parsed.get_backend_name() == "sqlite":
        parsed = parsed.set(database=unquote(parsed.database))  # a folder's name may have what ends a URL's path
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=30)
        _refuse_bad_text(engine)
        return engine
    if not parsed.database or parsed.database == ":memory:":
        raise ValueError("A SQLite database in memory can't be shared between processes. Name a file: sqlite:///FILE.")
    _make_private(Path(parsed.database))
    engine = create_engine(parsed, pool_size=10, max_overflow=30)
    _refuse_bad_text(engine)

    @event.listens_for(engine, "connect")
    def _prepare(dbapi_connection: Any, _record: Any) -> None:
        # Python's sqlite3 opens transactions of its own, only before writes; with None it leaves that to `_begin`.
        dbapi_connection.isolation_level = None
        dbapi_connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT}")
        _use_wal(dbapi_connection)
        dbapi_connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if read_only else 'OFF'}")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _refuse_bad_text(engine: Engine) -> None:
    """Both databases refuse the same text, wherever it comes from: PostgreSQL keeps no NUL, UTF-8 no surrogate."""

    @event.listens_for(engine, "before_cursor_execute")
    def _look(_c: Any, _cursor: Any, _statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        if any("\0" in value or not _is_utf8(value) for value in _texts(parameters)):
            raise BadText


def _texts(parameters: Any) -> Iterator[str]:
    """All texts of a statement's parameters: a row or several, each by name or by place."""
    if isinstance(parameters, str):
        yield parameters
    elif isinstance(parameters, dict | list | tuple):
        for one in parameters.values() if isinstance(parameters, dict) else parameters:
            yield from _texts(one)


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _make_private(file: Path) -> None:
    """Make the file, and have nobody else read it: hashes of passwords are in it. SQLite gives its others the same."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):  # what can't be opened or is another's is said better when it is connected to
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        for one in (file, *(file.with_name(file.name + part) for part in ("-wal", "-shm"))):
            if one.exists():
                one.chmod(one.stat().st_mode & ~0o077)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL, waiting as a writer does: on a new file SQLite answers "locked" at once to all but the first."""
    deadline = time.monotonic() + BUSY_TIMEOUT / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
