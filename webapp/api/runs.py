"""`/runs`: starting, watching and cancelling tuning runs."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from db.training import runs as run_rows
from webapp.access.callers import CallerDep
from webapp.access.gate import name_object
from webapp.access.projects import ProjectsDep
from webapp.api.dependencies import Id, StoreDep
from workers.projects.shipped_prompts import DEFAULT_PROJECT
from workers.training.runs import cancel_run, start_run

router = APIRouter(prefix="/runs", tags=["runs"])


class RunRequest(BaseModel):
    """What to tune."""

    model_config = ConfigDict(extra="forbid")

    project: str = DEFAULT_PROJECT
    epochs: int | None = Field(None, ge=1, le=1000, description="The longest it may take; null: the setting's.")
    seed: int | None = Field(None, ge=0, le=2**31 - 1, description="Of everything random in it; null: 0.")


class RunView(BaseModel):
    """A run: its state, how far it is, and what came out."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    project_id: int
    state: Literal["queued", "running", "evaluating", "succeeded", "failed", "cancelled"]
    trigger: str
    author: str = Field(description="who started it; `schedule` where nobody did")
    config: dict[str, Any]
    seed: int
    training_annotation_ids: list[int]
    holdout_annotation_ids: list[int]
    parent_version_id: int | None
    candidate_version_id: int | None
    progress: float
    stage: str
    encoded_images: int
    losses: list[Any]
    metrics: dict[str, Any]
    decision: str
    error: str
    cancel_requested: bool
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@router.post("", status_code=202)
def post_run(
    request: Request, store: StoreDep, projects: ProjectsDep, caller: CallerDep, wanted: RunRequest
) -> RunView:
    """Start a run over all corrections; 409 while one is live, 422 saying how many corrections are missing."""
    project_id = projects.named(wanted.project).id
    run_id = start_run(store, project_id, trigger="manual", epochs=wanted.epochs, seed=wanted.seed, author=caller.name)
    name_object(request, f"project {wanted.project}: run {run_id}")
    return get_run(store, run_id)


@router.get("")
def get_runs(
    store: StoreDep,
    projects: ProjectsDep,
    project: str = DEFAULT_PROJECT,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[RunView]:
    """The project's runs, the newest first."""
    project_id = projects.named(project).id
    with store.session(read_only=True) as session:
        return [RunView.model_validate(run) for run in run_rows.list_runs(session, project_id, limit=limit)]


@router.get("/{run_id}")
def get_run(store: StoreDep, run_id: Id) -> RunView:
    """One run."""
    with store.session(read_only=True) as session:
        return RunView.model_validate(run_rows.get_run(session, run_id))


@router.post("/{run_id}/cancel", status_code=202)
def post_cancel(store: StoreDep, run_id: Id) -> RunView:
    """Cancel a queued run now, ask a running one to stop after its epoch, leave a finished one as it is."""
    return RunView.model_validate(cancel_run(store, run_id))
