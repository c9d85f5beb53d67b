"""Who is a member of a project, and as what: the roles that count in projects that are for their members alone."""

from collections.abc import Mapping

from sqlalchemy import and_, delete, select
from sqlalchemy.orm import Session

from db.accounts.users import find_user, known_role
from db.errors import NotFound
from db.projects.projects import get_project, lock_project
from db.tables.accounts import ProjectMember, User
from db.tables.core import Project


def roles_in_closed_projects(session: Session, user_id: int) -> dict[int, str | None]:
    """Each project that is for its members alone, by id: the role of this user there; None: not a member."""
    own = and_(ProjectMember.project_id == Project.id, ProjectMember.user_id == user_id)
    closed = select(Project.id, ProjectMember.role).outerjoin(ProjectMember, own).where(Project.members_only)
    return {row.id: row.role for row in session.execute(closed)}


def list_members(session: Session, project_id: int) -> dict[str, str]:
    """The members of a project by name, and their roles there; kept while it is open to all, too. Raises NotFound."""
    get_project(session, project_id)
    members = select(User.name, ProjectMember.role).join(ProjectMember.user)
    found = session.execute(members.where(ProjectMember.project_id == project_id).order_by(User.name))
    return {row.name: row.role for row in found}


def set_members(session: Session, project_id: int, *, members_only: bool, roles: Mapping[str, str]) -> Project:
    """Say who sees a project.

    Args:
        session: a writing session.
        project_id: which project.
        members_only: whether others than its members don't see it.
        roles: name of a user → role there: all members from now on.

    Raises:
        NotFound: no such project, or no such user.
        BadSetting: no such role. Then nothing is changed.
    """
    project = lock_project(session, project_id)
    new = {_user_named(session, name).id: known_role(role) for name, role in roles.items()}
    session.execute(delete(ProjectMember).where(ProjectMember.project_id == project_id))
    session.add_all(ProjectMember(project_id=project_id, user_id=user_id, role=role) for user_id, role in new.items())
    project.members_only = members_only
    session.flush()
    return project


def _user_named(session: Session, name: str) -> User:
    user = find_user(session, name)
    if user is None:
        raise NotFound("user", repr(name))
    return user
