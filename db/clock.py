"""What time it is for all machines of an installation: the database's, where they share one over a network.

A lease of a run, a message or an upload, a wait after failed log-ins, and when a worker was last heard of, are compared
by machines whose own clocks may differ by minutes.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.tables.base import utc_now

# How far the database's clock is ahead of this machine's, as it was last seen.
_ahead = timedelta(0)


def shared_now(session: Session) -> datetime:
    """The time by the database's clock; a SQLite file has none of its own, and one machine."""
    global _ahead
    if session.connection().dialect.name != "postgresql":
        _ahead = timedelta(0)
        return utc_now()
    now = session.scalar(select(func.clock_timestamp()))
    assert now is not None
    found: datetime = now.astimezone(UTC)
    _ahead = found - utc_now()
    return found


def about_shared_now() -> datetime:
    """The same without asking: this machine's clock, put right by what the database's last said."""
    return utc_now() + _ahead
