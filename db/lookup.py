"""One row by its id, or a clear error."""

from typing import TypeVar

from sqlalchemy.orm import Session

from db.errors import NotFound
from db.tables.base import Base

Row = TypeVar("Row", bound=Base)
# Ids are 32-bit integers in PostgreSQL, which refuses to compare them with larger ones.
MAX_ID = 2**31 - 1


def get_row(session: Session, table: type[Row], row_id: int, *, lock: bool = False) -> Row:
    """The row of this id.

    Args:
        session: any session; a writing one to lock.
        table: its class.
        row_id: any integer.
        lock: read it anew, and let others who lock it wait until this transaction ends. SQLite has no row locks and
            needs none, as a writing session is the only one there.

    Raises:
        NotFound: there is none.
    """
    row = None
    if 0 < row_id <= MAX_ID:
        # With key_share, rows that refer to this one can still be added meanwhile.
        how = {"key_share": True} if lock else None
        row = session.get(table, row_id, populate_existing=lock, with_for_update=how)
    if row is None:
        raise not_found(table, row_id)
    return row


def not_found(table: type[Base], row_id: int) -> NotFound:
    """The error that says that a table has no row of this id."""
    return NotFound(table.__tablename__.removesuffix("s").replace("_", " "), row_id)
