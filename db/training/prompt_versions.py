"""Prompt versions: candidate → active → retired, or rejected; one is active in a project. Never deleted.

Where a project wants a second person, a candidate is awaiting one in between (`approvals.py`).
"""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.lookup import get_row
from db.projects.projects import lock_project
from db.tables.base import utc_now
from db.tables.core import Project, PromptVersion


def add_version(
    session: Session,
    *,
    project_id: int,
    origin: str,
    blob_key: str,
    sha256: str,
    backbone_name: str,
    backbone_fingerprint: str,
    parent_id: int | None = None,
    metrics: dict[str, Any] | None = None,
    note: str = "",
    author: str = "local",
) -> PromptVersion:
    """Add a candidate with the project's next number.

    Args:
        session: a writing session.
        project_id: whose.
        origin: `shipped`, `tuned` or `imported`.
        blob_key: where the prompts' safetensors file lies.
        sha256: of that file.
        backbone_name: the backbone that the prompts belong to…
        backbone_fingerprint: …and exactly which one.
        parent_id: the version that tuning started from.
        metrics: on the hold-out.
        note: one line for people.
        author: who made it.

    Raises:
        NotFound: no such project.
    """
    lock_project(session, project_id)
    newest = session.scalar(select(func.max(PromptVersion.number)).where(PromptVersion.project_id == project_id))
    version = PromptVersion(
        project_id=project_id,
        number=(newest or 0) + 1,
        state="candidate",
        origin=origin,
        parent_id=parent_id,
        backbone_name=backbone_name,
        backbone_fingerprint=backbone_fingerprint,
        blob_key=blob_key,
        sha256=sha256,
        metrics=metrics or {},
        note=note,
        author=author,
    )
    session.add(version)
    session.flush()
    return version


def get_version(session: Session, version_id: int) -> PromptVersion:
    """The version of this id; raises NotFound."""
    return get_row(session, PromptVersion, version_id)


def active_version(session: Session, project_id: int) -> PromptVersion | None:
    """The version that scores the project's images; None before the first was activated."""
    active = select(PromptVersion).where(PromptVersion.project_id == project_id, PromptVersion.state == "active")
    return session.scalars(active).one_or_none()


def parts_of(version: PromptVersion) -> list[str]:
    """The names of what a version has learnt, prompts first; of older ones it is prompts alone."""
    return list((version.metrics or {}).get("parts") or ["prompts"])


def list_versions(session: Session, project_id: int) -> list[PromptVersion]:
    """All versions of a project, the newest first."""
    versions = select(PromptVersion).where(PromptVersion.project_id == project_id)
    return list(session.scalars(versions.order_by(PromptVersion.number.desc())))


def write_note(session: Session, version_id: int, note: str) -> PromptVersion:
    """Put a person's words in place of a version's note. Raises NotFound."""
    version = get_version(session, version_id)
    version.note = note.strip()
    session.flush()
    return version


def projects_without_shipped(session: Session, fingerprint: str) -> list[int]:
    """The ids of the working projects that lack the prompts that come with this backbone."""
    shipped = select(PromptVersion.project_id).where(
        PromptVersion.origin == "shipped", PromptVersion.backbone_fingerprint == fingerprint
    )
    lacking = select(Project.id).where(Project.archived_at.is_(None), Project.id.not_in(shipped))
    return list(session.scalars(lacking.order_by(Project.id)))


def version_for(session: Session, project_id: int, fingerprint: str) -> PromptVersion | None:
    """What scored the project last with this backbone, or else what it has of this backbone since longest: its shipped.

    None where it has nothing of it.
    """
    own = select(PromptVersion).where(
        PromptVersion.project_id == project_id,
        PromptVersion.backbone_fingerprint == fingerprint,
        PromptVersion.activated_at.is_not(None) | (PromptVersion.origin == "shipped"),
    )
    return session.scalars(
        own.order_by(PromptVersion.activated_at.is_(None), PromptVersion.activated_at.desc(), PromptVersion.number)
    ).first()


def projects_of_others(session: Session, fingerprint: str) -> list[int]:
    """The ids of the working projects whose active version belongs to another backbone than this one."""
    foreign = select(PromptVersion.project_id).where(
        PromptVersion.state == "active", PromptVersion.backbone_fingerprint != fingerprint
    )
    return list(session.scalars(select(Project.id).where(Project.archived_at.is_(None), Project.id.in_(foreign))))


def activate(session: Session, version_id: int, by: str = "local") -> PromptVersion:
    """Make a version the active one, whatever its state, and retire the one before; both with this transaction.

    Args:
        session: a writing session.
        version_id: which.
        by: who wants it.

    Raises:
        NotFound: no such version.
    """
    version = get_version(session, version_id)
    lock_project(session, version.project_id)
    session.refresh(version)
    before = active_version(session, version.project_id)
    if before is version:
        return version
    if before is not None:
        before.state = "retired"
        session.flush()  # before the other becomes active: the database allows one at every moment
    version.state = "active"
    version.activated_at = utc_now()
    version.activated_by = by
    session.flush()
    return version


def reject(session: Session, version_id: int) -> PromptVersion:
    """Mark a candidate as measured and found worse.

    Raises:
        NotFound: no such version.
        ValueError: it is no candidate (any more).
    """
    version = get_version(session, version_id)
    if version.state != "candidate":
        raise ValueError(f"Version {version.number} is {version.state}; only a candidate can be rejected.")
    version.state = "rejected"
    session.flush()
    return version
