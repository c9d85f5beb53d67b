"""`/prompts`: a project's prompt versions, activating one, importing files."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from db.training.prompt_versions import get_version, list_versions, write_note
from webapp.access.callers import Caller, CallerDep, Role
from webapp.access.gate import name_object
from webapp.access.projects import ProjectsDep
from webapp.access.rate_limit import rate_limit
from webapp.api.dependencies import Id, SettingsDep, StoreDep, require_acceptable_size
from workers.backbones.published_prompts import import_published
from workers.projects.shipped_prompts import DEFAULT_PROJECT
from workers.training.comparing import compare_versions
from workers.training.promoting import activate_version, decline_version, import_prompts

router = APIRouter(prefix="/prompts", tags=["prompts"])


class PromptVersionView(BaseModel):
    """A prompt version: `number` is what people see as v3."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    project_id: int
    number: int
    state: Literal["candidate", "awaiting", "active", "retired", "rejected"]
    origin: Literal["shipped", "tuned", "imported"]
    parent_id: int | None
    backbone_name: str
    backbone_fingerprint: str
    sha256: str
    metrics: dict[str, Any]
    note: str
    author: str
    activated_by: str = Field(description="who put it to use last; `schedule` where a run of the schedule did")
    created_at: datetime
    activated_at: datetime | None


@router.get("")
def get_prompts(store: StoreDep, projects: ProjectsDep, project: str = DEFAULT_PROJECT) -> list[PromptVersionView]:
    """All versions, the newest first."""
    project_id = projects.named(project).id
    with store.session(read_only=True) as session:
        return [PromptVersionView.model_validate(version) for version in list_versions(session, project_id)]


class NoteChange(BaseModel):
    """What to change of a version."""

    model_config = ConfigDict(extra="forbid")

    note: str = Field(max_length=2000, description="What people should know of it.")


@router.patch("/{version_id}")
def patch_version(store: StoreDep, version_id: Id, change: NoteChange) -> PromptVersionView:
    """Write a version's note; all else of it stays for ever."""
    with store.session() as session:
        return PromptVersionView.model_validate(write_note(session, version_id, change.note))


@router.post("/{version_id}/activate")
def post_activate(store: StoreDep, caller: CallerDep, version_id: Id) -> PromptVersionView:
    """Score with this version from now on, forwards or back; all images are scored anew."""
    return PromptVersionView.model_validate(activate_version(store, version_id, author=caller.name))


class Declining(BaseModel):
    """Why a version is declined."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


@router.post("/{version_id}/approve")
def post_approve(request: Request, store: StoreDep, caller: CallerDep, version_id: Id) -> PromptVersionView:
    """Put a version in service that waits for a second person (`awaiting`): another one than who started its run.

    Any admin may where the schedule started it. 409, second-person-needed, for anybody else.
    """
    admin = _is_admin(store, caller, version_id)
    version = activate_version(store, version_id, author=caller.name, admin=admin, waiting=True)
    name_object(request, f"version {version.number} of project {version.project_id}: approved")
    return PromptVersionView.model_validate(version)


@router.post("/{version_id}/decline")
def post_decline(
    request: Request, store: StoreDep, caller: CallerDep, version_id: Id, declining: Declining
) -> PromptVersionView:
    """Refuse a version that waits for a second person, with a reason; who may is as for approving it."""
    admin = _is_admin(store, caller, version_id)
    version = decline_version(store, version_id, author=caller.name, reason=declining.reason, admin=admin)
    name_object(request, f"version {version.number} of project {version.project_id}: declined, {declining.reason}")
    return PromptVersionView.model_validate(version)


def _is_admin(store: StoreDep, caller: Caller, version_id: int) -> bool:
    """Whether the caller is one where the version belongs."""
    with store.session(read_only=True) as session:
        return caller.role_in(get_version(session, version_id).project_id) >= Role.ADMIN


class DifferenceView(BaseModel):
    """An image that two versions see differently; of each pair, the first is that of the version compared with."""

    model_config = ConfigDict(from_attributes=True)

    image_id: int
    file_name: str
    label: Literal["normal", "anomalous"]
    difference: float = Field(description="Mean absolute difference of the two maps, 0–1.")
    scores: tuple[float, float]
    average_precision: tuple[float, float] | None


class ComparisonView(BaseModel):
    """Two versions, by number, on the same corrected images."""

    model_config = ConfigDict(from_attributes=True)

    first: int
    second: int
    images: int
    learnt: bool = Field(description="Whether a version had learnt from some of the images: they flatter it.")
    metrics: dict[str, Any] = Field(description="active: of the first; candidate: of the second; difference; interval.")
    most_different: list[DifferenceView]


@router.get("/{version_id}/comparison")
def get_comparison(
    store: StoreDep,
    version_id: Id,
    other: Annotated[int, Query(alias="with", ge=1, description="The version, by id, to compare it with.")],
) -> ComparisonView:
    """Measure two versions of a project on its corrections, on those that neither learnt from where there are enough.

    Images that a version has not scored yet are scored now, so the first answer may take a while.
    """
    return ComparisonView.model_validate(compare_versions(store, other, version_id))


class PublishedWanted(BaseModel):
    """Which of the authors' files, and for which project."""

    model_config = ConfigDict(extra="forbid")

    tuned_on: Literal["visa", "mvtec"] = Field(description="VisA (CC BY 4.0) or MVTec AD (CC BY-NC-SA 4.0).")
    project: str = DEFAULT_PROJECT


@router.post("/published", status_code=201)
def post_published(
    store: StoreDep, projects: ProjectsDep, caller: CallerDep, wanted: PublishedWanted
) -> PromptVersionView:
    """Fetch the prompts that the paper's authors published for ViT-L/14@336, and add them as a candidate version."""
    project_id = projects.named(wanted.project, to_add=True).id
    return PromptVersionView.model_validate(import_published(store, project_id, wanted.tuned_on, author=caller.name))


@router.post("/import", status_code=201)
def post_import(
    store: StoreDep,
    projects: ProjectsDep,
    settings: SettingsDep,
    caller: CallerDep,
    file: Annotated[UploadFile, File(description="Ours (.safetensors), or the reference's checkpoint (.pth).")],
    project: Annotated[str, Form()] = DEFAULT_PROJECT,
) -> PromptVersionView:
    """Add a prompt file as a candidate version, refused where it belongs to another backbone or holds code."""
    project_id = projects.named(project, to_add=True).id
    require_acceptable_size(file.size, settings)
    rate_limit.take(caller, settings, files=1, size=file.size or 0)
    name = file.filename or "unnamed"
    return PromptVersionView.model_validate(
        import_prompts(store, project_id, name, file.file.read(), author=caller.name)
    )
