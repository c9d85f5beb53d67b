"""Deleting rows that nobody needs any more: what is old, and what can be made again."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, aliased

from db.clock import shared_now
from db.tables.accounts import AuditEntry, LoginAttempts, SignIn
from db.tables.core import Annotation, Prediction, PromptVersion

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


def prune_predictions(session: Session, older_than: timedelta, limit: int) -> tuple[int, list[str]]:
    """Delete what retired and rejected versions said of images that the active one has scored, and nobody corrected.

    What a version said of a correction stays: later versions are compared with it.

    Args:
        session: a writing session.
        older_than: only what was said so long ago.
        limit: how many at most.

    Returns:
        How many there were, and the keys of their maps: give them to `Store.delete_blobs` after this transaction.
    """
    old = Prediction.created_at < shared_now(session) - older_than
    newer, active = aliased(Prediction), aliased(PromptVersion)
    scored_anew = (
        select(newer.id)
        .join(active, active.id == newer.prompt_version_id)
        .where(newer.image_id == Prediction.image_id, active.state == "active")
        .exists()
    )
    corrected = select(Annotation.id).where(Annotation.image_id == Prediction.image_id).exists()
    found = session.execute(
        select(Prediction.id, Prediction.map_blob_key)
        .join(PromptVersion, PromptVersion.id == Prediction.prompt_version_id)
        .where(PromptVersion.state.in_(("retired", "rejected")), old)
        .where(scored_anew, ~corrected)
        .order_by(Prediction.id)
        .limit(limit)
    ).all()
    session.execute(delete(Prediction).where(Prediction.id.in_([row.id for row in found])))
    return len(found), [row.map_blob_key for row in found]
