"""`/import`: labels made elsewhere, with or without their images."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Request, Response, UploadFile
from pydantic import BaseModel, Field

from webapp.access.callers import CallerDep
from webapp.access.projects import ProjectsDep
from webapp.access.rate_limit import rate_limit
from webapp.api.dependencies import SettingsDep, StoreDep, require_few
from webapp.api.problems import problem
from workers.exchange.importing import LabelImport
from workers.projects.shipped_prompts import DEFAULT_PROJECT

router = APIRouter(prefix="/import", tags=["import and export"])


class LabelOutcome(BaseModel):
    """What became of one label."""

    path: str = Field(description="Of the image, or of the mask where it came alone, as it was sent.")
    outcome: Literal["imported", "unchanged", "kept", "refused"]
    image_id: int | None
    added: bool = Field(description="Whether the image is new to the project.")
    label: Literal["normal", "anomalous"] | None
    error: str = Field(description="Why it was refused; else empty.")
    note: str = Field(description="What to know of how the label was read, or to ask of it; mostly empty.")


@router.post("", status_code=201, response_model=list[LabelOutcome])
def post_import(
    request: Request,
    store: StoreDep,
    projects: ProjectsDep,
    settings: SettingsDep,
    caller: CallerDep,
    files: Annotated[list[UploadFile], File(description="Zips, COCO JSON files, mask images; repeat the field.")],
    project: Annotated[str, Form(description="The project's name.")] = DEFAULT_PROJECT,
    replace: Annotated[bool, Form(description="Take the place of what was said here; otherwise that stays.")] = False,
) -> list[dict[str, Any]] | Response:
    """Take over labels: a zip in the layout of MVTec AD, LOCO, AD 2 or Real-IAD, or of masks; or COCO's JSON.

    Images in the zip are added; labels without an image go to the project's image of the same name. A bad file is an
    entry with `error`; the others are taken over all the same.
    """
    project_id = projects.named(project, to_add=True).id
    require_few(len(files), settings)
    rate_limit.take(caller, settings, files=len(files), size=sum(file.size or 0 for file in files))
    uploads = [(file.filename or "unnamed", file.file) for file in files]
    outcomes = [
        asdict(outcome) for outcome in LabelImport(store, project_id, uploads, replace=replace, author=caller.name)
    ]
    if all(outcome["outcome"] == "refused" for outcome in outcomes):
        first = outcomes[0]
        detail = f"None of the {len(outcomes)} labels could be used. {first['path']}: {first['error']}"
        return problem(request, 422, "unusable-labels", "The labels can't be used", detail, files=outcomes)
    return outcomes
