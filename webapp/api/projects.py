"""`/projects`: making, listing, renaming and archiving projects, and their settings."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from db.images.rows import count_by_status
from db.projects.projects import get_project
from db.tables.core import Project
from db.training.prompt_versions import active_version
from webapp.access.callers import Caller, CallerDep
from webapp.access.projects import ProjectsDep
from webapp.api.dependencies import Id, StoreDep
from webapp.api.me import RoleName, role_name
from workers.projects.changes import change_project, make_project

router = APIRouter(prefix="/projects", tags=["projects"])


class ProjectView(BaseModel):
    """A project, its settings, how many images have which status, and the number of the prompts in use."""

    id: int
    name: str
    settings: dict[str, Any]
    images: dict[str, int]
    prompt_version: int | None
    created_at: datetime
    archived_at: datetime | None
    members_only: bool = Field(description="Whether others than its members don't see it.")
    role: RoleName = Field(description="Yours in it.")


class NewProject(BaseModel):
    """What to make."""

    model_config = ConfigDict(extra="forbid")

    name: str
    like: str | None = Field(
        None, description="The project whose prompts in use, thresholds and schedule it starts with; null: none."
    )


class ProjectChange(BaseModel):
    """What to change; what is left out, or null, stays."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    archived: bool | None = Field(None, description="Archived: not listed, nothing scored or added, no runs.")
    settings: dict[str, Any] | None = Field(
        None,
        description="threshold, map_threshold (0–1), schedule (bool), retrain_after, retrain_hours, "
        "second_person (bool: another one than who started a run puts its version in service), "
        "depth ([black, white] of images of more than 8 bits), keep (which inspected images: all, anomalous, sample or "
        "none) and keep_every (one in so many), px_per_mm, verdict_rule (see its trial), "
        "name_pattern ({part}, {lot}, {station}, {time} and *).",
    )


@router.get("")
def get_projects(store: StoreDep, projects: ProjectsDep, archived: bool = False) -> list[ProjectView]:
    """The projects that work, by name, or those that are archived; of these, those that you see."""
    with store.session(read_only=True) as session:
        return [_view(session, project, projects.caller) for project in projects.seen(archived=archived)]


@router.post("", status_code=201)
def post_project(store: StoreDep, projects: ProjectsDep, wanted: NewProject) -> ProjectView:
    """Make a project; 409 where the name is taken."""
    like = None if wanted.like is None else projects.named(wanted.like).id
    return get_one(store, projects.caller, make_project(store, wanted.name, like=like).id)


@router.get("/{project_id}")
def get_one(store: StoreDep, caller: CallerDep, project_id: Id) -> ProjectView:
    """One project, archived or not."""
    with store.session(read_only=True) as session:
        return _view(session, get_project(session, project_id), caller)


@router.patch("/{project_id}")
def patch_project(store: StoreDep, caller: CallerDep, project_id: Id, change: ProjectChange) -> ProjectView:
    """Rename, archive or restore a project, or change some of its settings."""
    change_project(store, project_id, name=change.name, archived=change.archived, settings=change.settings)
    return get_one(store, caller, project_id)


def _view(session: Session, project: Project, caller: Caller) -> ProjectView:
    version = active_version(session, project.id)
    return ProjectView(
        id=project.id,
        name=project.name,
        settings=project.settings,
        images=count_by_status(session, project.id),
        prompt_version=version.number if version else None,
        created_at=project.created_at,
        archived_at=project.archived_at,
        members_only=project.members_only,
        role=role_name(caller.role_in(project.id)),
    )
