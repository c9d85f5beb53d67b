"""The audit log: who did what, when, on which object, from where. Entries are added and read, nothing else."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.clock import shared_now
from db.tables.accounts import AuditEntry

_LONGEST_ACTION = 200
_LONGEST_NAME = 100


def add_entry(session: Session, *, user_name: str, via: str, address: str, action: str, object: str = "") -> None:
    """Write down one thing that someone did.

    Args:
        session: a writing session.
        user_name: who; what they claim to be where they were refused.
        via: session, token, local (no accounts), command (the command line) or nobody.
        address: where from.
        action: as the table of access rules names it.
        object: on what.
    """
    session.add(
        AuditEntry(
            at=shared_now(session),
            user_name=user_name[:_LONGEST_NAME],
            via=via,
            address=address[:_LONGEST_NAME],
            action=action[:_LONGEST_ACTION],
            object=object,
        )
    )


def list_entries(
    session: Session, *, user_name: str | None = None, before: int | None = None, limit: int = 100
) -> list[AuditEntry]:
    """The newest entries.

    Args:
        session: any session.
        user_name: of this user alone.
        before: older than the entry of this id.
        limit: how many.
    """
    entries = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if user_name is not None:
        entries = entries.where(AuditEntry.user_name == user_name)
    if before is not None:
        entries = entries.where(AuditEntry.id < before)
    return list(session.scalars(entries))
