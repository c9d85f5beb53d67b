"""Deleting rows that nobody needs any more: what is old, and what can be made again."""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session, aliased

from db.clock import shared_now
from db.tables.accounts import AuditEntry, LoginAttempts, SignIn
from db.tables.core import Prediction, PromptVersion

# Failures of log-ins count for minutes.
_ATTEMPTS_FOR = timedelta(days=1)


def prune_accounts(session: Session, audit_for: timedelta) -> int:
    """Delete entries of the audit log that are so old, log-ins that failed long ago, and sessions that have ended.

    Returns:
        How many rows that were.
    """
    now = shared_now(session)
    old = (
        (AuditEntry, AuditEntry.at < now - audit_for),
        (LoginAttempts, LoginAttempts.first_at < now - _ATTEMPTS_FOR),
        (SignIn, SignIn.expires_at < now),
    )
    return sum(len(session.scalars(delete(table).where(is_old).returning(table.id)).all()) for table, is_old in old)


def old_predictions(session: Session, older_than: timedelta, limit: int, *, after: int = 0) -> list[int]:
    """What `prune_predictions` may delete: ids, ascending, above one; in a reading session, as it takes its time."""
    found = select(Prediction.id).join(PromptVersion, PromptVersion.id == Prediction.prompt_version_id)
    old = found.where(Prediction.id > after, *_is_over(session, older_than))
    return list(session.scalars(old.order_by(Prediction.id).limit(limit)))


def prune_predictions(session: Session, older_than: timedelta, ids: Collection[int]) -> tuple[int, list[str]]:
    """Delete what retired and rejected versions said of images that the active one has scored, and nobody corrected.

    What a version said of a correction stays: later versions are compared with it.

    Args:
        session: a writing session.
        older_than: only what was said so long ago.
        ids: only these predictions.

    Returns:
        How many there were, and the keys of their maps: give them to `Store.delete_blobs` after this transaction.
    """
    found = session.execute(
        select(Prediction.id, Prediction.map_blob_key)
        .join(PromptVersion, PromptVersion.id == Prediction.prompt_version_id)
        .where(Prediction.id.in_(ids), *_is_over(session, older_than))
    ).all()
    session.execute(delete(Prediction).where(Prediction.id.in_([row.id for row in found])))
    return len(found), [row.map_blob_key for row in found]


def _is_over(session: Session, older_than: timedelta) -> tuple[ColumnElement[bool], ...]:
    newer, active = aliased(Prediction), aliased(PromptVersion)
    scored_anew = (
        select(newer.id)
        .join(active, active.id == newer.prompt_version_id)
        .where(newer.image_id == Prediction.image_id, active.state == "active")
        .exists()
    )
    old = Prediction.created_at < shared_now(session) - older_than
    return PromptVersion.state.in_(("retired", "rejected")), old, Prediction.label.is_(None), scored_anew
