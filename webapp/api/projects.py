"""`/projects`: what there is; for now, the project `default`."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from db.images import count_by_status
from db.projects import list_projects
from webapp.api.dependencies import StoreDep

router = APIRouter(prefix="/projects", tags=["projects"])


class ProjectView(BaseModel):
    """A project, its settings, and how many images have which status."""

    id: int
    name: str
    settings: dict[str, Any]
    images: dict[str, int]
    created_at: datetime


@router.get("")
def get_projects(store: StoreDep) -> list[ProjectView]:
    """All projects, by name."""
    with store.session(read_only=True) as session:
        return [
            ProjectView(
                id=project.id,
                name=project.name,
                settings=project.settings,
                images=count_by_status(session, project.id),
                created_at=project.created_at,
            )
            for project in list_projects(session)
        ]
