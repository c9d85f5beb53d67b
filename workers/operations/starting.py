"""Why a process can't start, as one sentence each: the same from `app.py` and from `python -m workers`."""

from alembic.util import CommandError
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError


def why_not(error: Exception) -> str | None:
    """What a person should know of an error at the start, and do; None for an error that nobody expected."""
    if isinstance(error, CommandError):
        return (
            f"The database was made by a newer version of AnomalyLoop ({error}). Start that version, or name another "
            "database in ANOMALYLOOP_DATABASE_URL."
        )
    if isinstance(error, ArgumentError | NoSuchModuleError):
        return "ANOMALYLOOP_DATABASE_URL can't be read: write sqlite:///FILE, or postgresql+psycopg://USER@HOST/NAME."
    if isinstance(error, OperationalError):
        return (
            f"The database can't be used ({_cause(error)}). See that it runs and may be written, and what "
            "ANOMALYLOOP_DATABASE_URL says."
        )
    if isinstance(error, DatabaseError):
        return (
            f"The database is damaged, or no database ({_cause(error)}). Put a backup in its place: python -m workers "
            "restore."
        )
    return None


def _cause(error: DatabaseError) -> str:
    """What the driver says, on one line; no address with a password is in it."""
    return " ".join(str(error.orig).split())[:300]
