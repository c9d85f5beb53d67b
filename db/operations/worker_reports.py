"""What workers say of themselves: the newest report of each."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.clock import shared_now
from db.tables.operations import WorkerReport

# A worker that was silent for so long has ended.
_FORGOTTEN_AFTER = timedelta(days=1)


def report(session: Session, name: str, *, queues: list[str], engine: dict[str, Any], started_at: datetime) -> None:
    """Keep what a worker says of itself now, in place of what it said before; forget those that ended long ago."""
    now = shared_now(session)
    session.merge(WorkerReport(name=name, queues=queues, engine=engine, started_at=started_at, reported_at=now))
    session.execute(delete(WorkerReport).where(WorkerReport.reported_at < now - _FORGOTTEN_AFTER))


def worker_reports(session: Session) -> list[WorkerReport]:
    """The newest report of every worker of the last day, the most recent first; see `db.clock.about_shared_now`."""
    shared_now(session)
    return list(session.scalars(select(WorkerReport).order_by(WorkerReport.reported_at.desc(), WorkerReport.name)))
