"""`/prompts`: a project's prompt versions, activating one, importing files."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, UploadFile
from pydantic import BaseModel, ConfigDict

from db.prompt_versions import list_versions
from webapp.api.dependencies import DEFAULT_PROJECT, Id, SettingsDep, StoreDep, project_named, require_acceptable_size
from workers.promoting import activate_version, import_prompts

router = APIRouter(prefix="/prompts", tags=["prompts"])


class PromptVersionView(BaseModel):
    """A prompt version: `number` is what people see as v3."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    project_id: int
    number: int
    state: Literal["candidate", "active", "retired", "rejected"]
    origin: Literal["shipped", "tuned", "imported"]
    parent_id: int | None
    backbone_name: str
    backbone_fingerprint: str
    sha256: str
    metrics: dict[str, Any]
    note: str
    created_at: datetime
    activated_at: datetime | None


@router.get("")
def get_prompts(store: StoreDep, project: str = DEFAULT_PROJECT) -> list[PromptVersionView]:
    """All versions, the newest first."""
    project_id = project_named(store, project).id
    with store.session(read_only=True) as session:
        return [PromptVersionView.model_validate(version) for version in list_versions(session, project_id)]


@router.post("/{version_id}/activate")
def post_activate(store: StoreDep, version_id: Id) -> PromptVersionView:
    """Score with this version from now on, forwards or back; all images are scored anew."""
    return PromptVersionView.model_validate(activate_version(store, version_id))


@router.post("/import", status_code=201)
def post_import(
    store: StoreDep,
    settings: SettingsDep,
    file: Annotated[UploadFile, File(description="Ours (.safetensors), or the reference's checkpoint (.pth).")],
    project: Annotated[str, Form()] = DEFAULT_PROJECT,
) -> PromptVersionView:
    """Add a prompt file as a candidate version, refused where it belongs to another backbone or holds code."""
    project_id = project_named(store, project).id
    require_acceptable_size(file.size, settings)
    return PromptVersionView.model_validate(
        import_prompts(store, project_id, file.filename or "unnamed", file.file.read())
    )
