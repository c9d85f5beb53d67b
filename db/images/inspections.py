"""Inspections on their way from the page's process to a worker and back; none outlives whoever waits for it by long."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db.clock import shared_now
from db.tables.inspections import Inspection

# What a process left behind that ended while it waited is deleted after so long.
_LEFT_BEHIND = timedelta(minutes=10)


def add_inspection(
    session: Session, inspection_id: str, blob_key: str, request: dict[str, Any], patience: timedelta
) -> None:
    """Ask for one; nobody begins it after `patience`."""
    now = shared_now(session)
    session.execute(delete(Inspection).where(Inspection.until < now - _LEFT_BEHIND))
    session.add(Inspection(id=inspection_id, blob_key=blob_key, request=request, until=now + patience))


def begin_inspection(session: Session, inspection_id: str) -> Inspection | None:
    """What is asked; None: it is answered, or nobody waits for it any more."""
    waiting = select(Inspection).where(Inspection.id == inspection_id, Inspection.answer.is_(None))
    return session.scalars(waiting.where(Inspection.until > shared_now(session))).one_or_none()


def answer_inspection(session: Session, inspection_id: str, answer: dict[str, Any]) -> None:
    """Answer it."""
    session.execute(update(Inspection).where(Inspection.id == inspection_id).values(answer=answer))


def take_answer(session: Session, inspection_id: str) -> dict[str, Any] | None:
    """Its answer; None: there is none yet."""
    return session.scalar(select(Inspection.answer).where(Inspection.id == inspection_id))


def forget_inspections(session: Session, inspection_ids: Sequence[str]) -> None:
    """Nobody waits for these any more."""
    session.execute(delete(Inspection).where(Inspection.id.in_(inspection_ids)))
