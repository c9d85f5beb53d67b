"""Inserting what another process may be inserting at the same moment."""

from typing import TypeVar

from sqlalchemy import Select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

Row = TypeVar("Row")


def insert_or_find(session: Session, row: Row, find: Select[Row]) -> tuple[Row, bool]:
    """Insert `row`, or return the row that `find` selects where a unique constraint says that it is there already.

    Returns:
        The row, and True when it is the new one.

    Raises:
        IntegrityError: the insert broke another constraint, a missing parent for instance.
    """
    found = session.scalars(find).one_or_none()
    if found is not None:
        return found, False
    try:
        with session.begin_nested():  # a savepoint, so that the transaction outlives the refusal
            session.add(row)
    except IntegrityError:
        found = session.scalars(find).one_or_none()
        if found is None:
            raise
        return found, False
    return row, True
