"""A second person puts a version in service, where a project wants it so: what waits, who may, and what was decided."""

from sqlalchemy.orm import Session

from db.errors import NotAwaiting, SecondPersonNeeded
from db.projects.projects import get_project, lock_project
from db.tables.core import PromptVersion
from db.training.prompt_versions import get_version
from db.training.runs import run_behind
from db.webhooks.messages import tell

SCHEDULE = "schedule"


def await_approval(session: Session, version: PromptVersion) -> None:
    """Have a candidate that a run would put in service wait for a second person, and tell of it."""
    version.state = "awaiting"
    session.flush()
    facts = {"version": version.number, "version_id": version.id, "started_by": version.author}
    tell(session, version.project_id, "version.awaiting", facts)


def require_second_person(session: Session, version: PromptVersion, by: str, *, admin: bool) -> None:
    """Whether someone may put a version in service; versions that were, and imported ones, need no second person.

    Args:
        session: any session.
        version: which.
        by: who.
        admin: whether they are an admin, who may where the schedule started the run.

    Raises:
        SecondPersonNeeded: the project wants another person than who started the run.
    """
    wanted = get_project(session, version.project_id).settings.get("second_person", False)
    if not wanted or version.origin != "tuned" or version.activated_at is not None:
        return
    if version.author == by or (version.author == SCHEDULE and not admin):
        raise SecondPersonNeeded(version.number, version.author)


def awaiting(session: Session, version_id: int) -> PromptVersion:
    """A version that waits for a second person; nobody else decides on it meanwhile. Raises NotFound, NotAwaiting."""
    version = get_version(session, version_id)
    lock_project(session, version.project_id)
    session.refresh(version)
    if version.state != "awaiting":
        raise NotAwaiting(version.number)
    return version


def note_decision(session: Session, version: PromptVersion, by: str, reason: str | None) -> None:
    """Write down what a second person decided, and tell of it. `reason`: why it was declined; None: it was approved."""
    run = run_behind(session, version.id)
    words = f"Put in service by {by}." if reason is None else f"Declined by {by}: {reason}"
    if run is not None:
        run.decision = f"{run.decision} {words}"
    facts = {"version": version.number, "version_id": version.id, "approved": reason is None}
    tell(session, version.project_id, "version.decided", {**facts, "decided_by": by, "reason": reason or ""})
    session.flush()


def decline(session: Session, version_id: int, by: str, reason: str, *, admin: bool) -> PromptVersion:
    """Refuse a version that waits for a second person.

    Raises:
        NotFound: no such version.
        NotAwaiting: it waits for nobody.
        SecondPersonNeeded: the one who started its run.
    """
    version = awaiting(session, version_id)
    require_second_person(session, version, by, admin=admin)
    version.state = "rejected"
    note_decision(session, version, by, reason)
    return version
