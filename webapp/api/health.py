"""`/healthz`: the process answers. `/readyz`: everything it needs is there, or which thing isn't."""

from dataclasses import asdict, replace

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from webapp.access.callers import CallerDep, Role
from webapp.access.permissions import REACH, Permission
from webapp.api.dependencies import StoreDep
from webapp.api.problems import problem
from webapp.readiness_watch import watch
from workers.operations.readiness import AT_ONCE, engine_in_use, readiness

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process is alive."""

    status: str = "ok"


class Component(BaseModel):
    """One thing that is needed."""

    name: str
    ready: bool
    detail: str


class Backbone(BaseModel):
    """The model in use; the facts are empty until it is loaded."""

    state: str
    error: str
    name: str
    fingerprint: str
    description: str
    device: str
    precision: str


class Ready(BaseModel):
    """Everything is there."""

    ready: bool
    components: list[Component]
    backbone: Backbone


@router.get("/healthz")
async def healthz() -> Health:
    """200 while the process answers, however busy its threads are."""
    return Health()


@router.get("/readyz", response_model=Ready, responses={503: {"description": "Names what is not ready."}})
def readyz(request: Request, store: StoreDep, caller: CallerDep) -> Ready | Response:
    """200 when database, blobs, broker, a worker and the engine are ready; else 503 naming those that are not.

    Nobody waits for a worker: one that takes its time is told as it was heard of some seconds ago. With accounts, only
    who is signed in and sees all projects, which details may name, is told more than the names; for others nothing is
    asked, they hear of some seconds ago.
    """
    told = caller.role > Role.ANYONE and caller.sees_all and Permission.READ in REACH[caller.scope]
    if not told:
        known = watch.found()
        why = "Sign in to see more." if caller.role is Role.ANYONE else "Who sees all projects is told more."
        components = [replace(component, detail=why) for component in known.components]
        backbone = dict.fromkeys(Backbone.model_fields, "") | {"state": known.backbone["state"]}
    else:
        components, backbone = readiness(store, AT_ONCE), engine_in_use(AT_ONCE)
    missing = [component for component in components if not component.ready]
    if missing:
        return problem(
            request,
            503,
            "not-ready",
            "Not ready",
            "Not ready: " + " ".join(f"{component.name}: {component.detail}" for component in missing),
            not_ready=[component.name for component in missing],
            components=[asdict(component) for component in components],
            backbone=backbone,
        )
    return Ready(
        ready=True,
        components=[Component(**asdict(component)) for component in components],
        backbone=Backbone(**backbone),
    )
