"""Rows and the blobs that they name: which are named at all, and how none is deleted that someone is about to name.

Who writes a row that names a blob holds the blobs of all (`hold_blobs`) and sees to it that the blob is there, then
writes. Who deletes blobs does it alone (`hold_blobs(alone=True)`) and looks once more whether a row names them. On
SQLite a writing session is alone anyhow.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Column, select, text
from sqlalchemy.orm import Session

from db.tables.metadata import TABLES

# Any number, the same in every process, and another one than that of migrations.
_LOCK = 4_115_201_602
# Keys asked for in one query; databases limit how many values it may have.
_AT_ONCE = 500


def hold_blobs(session: Session, *, alone: bool = False) -> None:
    """Until this writing session ends, nobody deletes a blob; with `alone`, nobody writes a row that names one."""
    connection = session.connection()  # on SQLite the session is alone from here on, and not from its making
    if connection.dialect.name == "postgresql":
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        session.execute(text(f"SELECT {lock}(:key)"), {"key": _LOCK})


def blob_columns() -> list[Column[str]]:
    """Every column that names a blob: those called `…blob_key`."""
    tables = TABLES.sorted_tables
    return [column for table in tables for column in table.columns if column.name.endswith("blob_key")]


def named_blobs(session: Session, keys: Iterable[str]) -> set[str]:
    """Those of these keys that some row names."""
    wanted = sorted(set(keys))
    found: set[str] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        for column in blob_columns():
            found.update(session.scalars(select(column).where(column.in_(some))))
    return found


def all_named_blobs(session: Session) -> Iterator[str]:
    """The keys that rows name; a key that several name comes several times."""
    for column in blob_columns():
        yield from session.scalars(select(column).where(column.is_not(None)).execution_options(yield_per=1000))
