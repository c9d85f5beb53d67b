"""The audit log: who did what, when, on which object, from where. Entries are added and read, nothing else."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, select
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


@dataclass(frozen=True)
class AuditFilter:
    """Which entries; None: of any.

    Attributes:
        user_name: of this user alone.
        at_from: of then or later.
        at_before: earlier.
    """

    user_name: str | None = None
    at_from: datetime | None = None
    at_before: datetime | None = None

    def of(self, entries: Select[AuditEntry]) -> Select[AuditEntry]:
        """The same entries, without those that do not pass."""
        if self.user_name is not None:
            entries = entries.where(AuditEntry.user_name == self.user_name)
        if self.at_from is not None:
            entries = entries.where(AuditEntry.at >= self.at_from)
        if self.at_before is not None:
            entries = entries.where(AuditEntry.at < self.at_before)
        return entries


ALL = AuditFilter()


def list_entries(
    session: Session, wanted: AuditFilter = ALL, *, before: int | None = None, limit: int = 100
) -> list[AuditEntry]:
    """The newest entries that pass the filter, the newest first.

    Args:
        session: any session.
        wanted: which.
        before: older than the entry of this id.
        limit: how many.
    """
    entries = wanted.of(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit))
    if before is not None:
        entries = entries.where(AuditEntry.id < before)
    return list(session.scalars(entries))


def entries_after(session: Session, wanted: AuditFilter, after: int, limit: int) -> list[AuditEntry]:
    """The oldest entries that pass the filter and came after the entry of this id (0: all), the oldest first."""
    entries = select(AuditEntry).where(AuditEntry.id > after).order_by(AuditEntry.id).limit(limit)
    return list(session.scalars(wanted.of(entries)))
