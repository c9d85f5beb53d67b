"""`/projects/{id}/members`: who sees a project, and as what."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from db.accounts.members import list_members, set_members
from db.projects.projects import get_project
from webapp.access.gate import name_object
from webapp.api.dependencies import Id, StoreDep
from webapp.api.me import RoleName

router = APIRouter(prefix="/projects", tags=["projects"])


class Members(BaseModel):
    """Who sees a project."""

    model_config = ConfigDict(extra="forbid")

    members_only: bool = Field(
        description="Others than the members, and than admins of the installation, don't see it. False: all users do, "
        "with their own roles, and the members are kept for later."
    )
    members: Annotated[dict[str, RoleName], Field(max_length=10_000)] = Field(
        description="Name of a user → role in this project, which counts there in place of the user's own."
    )


@router.get("/{project_id}/members")
def get_members(store: StoreDep, project_id: Id) -> Members:
    """The members of a project, by name."""
    with store.session(read_only=True) as session:
        project = get_project(session, project_id)
        return Members.model_validate(
            {"members_only": project.members_only, "members": list_members(session, project_id)}
        )


@router.put("/{project_id}/members")
def put_members(request: Request, store: StoreDep, project_id: Id, wanted: Members) -> Members:
    """Say who sees a project: these alone are its members from now on. Counts from the next request on."""
    with store.session() as session:
        project = set_members(session, project_id, members_only=wanted.members_only, roles=wanted.members)
        who = ", ".join(f"{name} ({role})" for name, role in sorted(wanted.members.items())) or "nobody"
        name_object(request, f"project {project.name}: {'members only' if project.members_only else 'open'}; {who}")
    return get_members(store, project_id)
