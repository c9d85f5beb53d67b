"""Keys that callers give their uploads, so that one that is sent twice is done once and answered twice.

When one was cut off, and how long it is remembered, goes by the database's clock (`db/clock.py`).
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db.clock import shared_now
from db.errors import KeyReused, UploadInProgress
from db.insert import insert_or_find
from db.tables.operations import UploadKey

# An upload without an answer after so long was cut off; whoever sends it again does it.
_CUT_OFF_AFTER = timedelta(minutes=5)


def take_key(session: Session, key: str, fingerprint: str, keep_for: timedelta) -> list[Any] | None:
    """Begin an upload under its key, or find the answer that it had.

    Args:
        session: a writing session.
        key: 1–255 characters.
        fingerprint: sha256, in hex, of what is uploaded.
        keep_for: how long answers are kept; older ones are forgotten here.

    Returns:
        The answer; None: upload now, then call `keep_answer`, or `drop_key` where nothing came of it.

    Raises:
        KeyReused: something else was uploaded under this key.
        UploadInProgress: another process is at it.
    """
    now = shared_now(session)
    session.execute(delete(UploadKey).where(UploadKey.created_at < now - keep_for))
    found, new = insert_or_find(
        session,
        UploadKey(key=key, fingerprint=fingerprint, created_at=now),
        select(UploadKey).filter_by(key=key).with_for_update(),
    )
    if new:
        return None
    if found.fingerprint != fingerprint:
        raise KeyReused(key)
    if found.answer is not None:
        return found.answer
    if found.created_at > now - _CUT_OFF_AFTER:
        raise UploadInProgress(key)
    found.created_at = now
    return None


def keep_answer(session: Session, key: str, answer: list[Any]) -> None:
    """Remember what the upload under this key was answered."""
    session.execute(update(UploadKey).where(UploadKey.key == key).values(answer=answer))


def drop_key(session: Session, key: str) -> None:
    """Forget a key under which nothing was kept."""
    session.execute(delete(UploadKey).where(UploadKey.key == key))
