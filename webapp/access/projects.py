"""The projects that a request may work on: by their names, which endpoints are given, and by the ids in its path."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute
from starlette.requests import Request

from db.lookup import MAX_ID, not_found
from db.projects.projects import find_project, list_projects
from db.store import Store
from db.tables.base import Base
from db.tables.core import Image, Project, PromptVersion, TuningRun
from db.tables.defects import DefectKind
from webapp.access.callers import Caller, Role, caller_of
from webapp.access.permissions import Permission, require
from webapp.access.refusals import Refused
from workers.context import get_store
from workers.errors import ProjectArchived

# Where the gate leaves what the request takes.
PERMISSION_KEY = "anomalyloop.permission"
# The ids in paths that are of one project's things, and where it is said of which.
_PROJECT_OF: dict[str, tuple[type[Base], InstrumentedAttribute[int]]] = {
    "project_id": (Project, Project.id),
    "image_id": (Image, Image.project_id),
    "run_id": (TuningRun, TuningRun.project_id),
    "version_id": (PromptVersion, PromptVersion.project_id),
    "kind_id": (DefectKind, DefectKind.project_id),
}
# Reads a number from a path as the endpoints do, which take `+7` and ` 7` for 7.
_NUMBER = TypeAdapter(int)


@dataclass(frozen=True)
class Projects:
    """The projects of a request.

    Attributes:
        store: where they are.
        caller: who asks.
        permission: what for.
    """

    store: Store
    caller: Caller
    permission: Permission

    def named(self, name: str, *, to_add: bool = False) -> Project:
        """The project that a request names.

        Args:
            name: its name.
            to_add: whether something is to be added to it.

        Raises:
            Refused: the caller's role there is too small, or the token is for another project.
            HTTPException: 404 where there is none, or the caller does not see it.
            ProjectArchived: it rests, and something is to be added.
        """
        own = self.caller.one_project
        with self.store.session(read_only=True) as session:
            project = find_project(session, name)
        if own is not None and (project is None or project.id != own.id):
            raise Refused("token-project", "access.token_project", project=own.name)
        require(self.caller, self.permission, self.caller.role_asked_by(project.id if project else None))
        if project is None or not self.sees(project):
            raise HTTPException(404, f"There is no project {name!r}. GET /api/v1/projects lists those that exist.")
        if to_add and project.archived_at is not None:
            raise ProjectArchived(project.name)
        return project

    def seen(self, *, archived: bool = False) -> list[Project]:
        """The projects that work, by name, or those that are archived: of these, what the caller sees."""
        with self.store.session(read_only=True) as session:
            return [project for project in list_projects(session, archived=archived) if self.sees(project)]

    def sees(self, project: Project) -> bool:
        """Whether the caller may know of it."""
        return self.caller.role_in(project.id) > Role.ANYONE


def _projects_of(request: Request) -> Projects:
    return Projects(get_store(), caller_of(request), request.scope[PERMISSION_KEY])


ProjectsDep = Annotated[Projects, Depends(_projects_of)]


def require_by_path(store: Store, caller: Caller, permission: Permission, ids: Mapping[str, str]) -> None:
    """Let pass who has a permission in the project of what a path names.

    Where the path names no project's thing, the endpoint asks for a project by its name: then who may have it in some.

    Args:
        store: where it is looked up.
        caller: who asks.
        permission: what for, in a project.
        ids: the parts of the path, by the names that the rule gives them.

    Raises:
        Refused: the role is too small.
        NotFound: the caller does not see that project; the same as where there is no such row.
    """
    named = next((name for name in _PROJECT_OF if name in ids), None)
    if named is None:
        require(caller, permission, caller.highest_role)
        return
    try:
        row_id = _NUMBER.validate_python(ids[named])
    except ValidationError:  # the endpoint says what is wrong with it
        row_id = 0
    table, project = _PROJECT_OF[named]
    project_id = _project_id(store, project, row_id)
    require(caller, permission, caller.role_asked_by(project_id))
    if project_id is not None and caller.role_in(project_id) is Role.ANYONE:
        raise not_found(table, row_id)


def _project_id(store: Store, of: InstrumentedAttribute[int], row_id: int) -> int | None:
    if not 0 < row_id <= MAX_ID:
        return None
    with store.session(read_only=True) as session:
        return session.scalar(select(of).where(of.class_.id == row_id))
