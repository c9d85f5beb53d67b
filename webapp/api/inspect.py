"""`/inspect`: an image in, the verdict in the same answer."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, HTTPException, Request, UploadFile
from pydantic import BaseModel, Field

from webapp.access.callers import CallerDep
from webapp.access.gate import name_object
from webapp.access.projects import ProjectsDep
from webapp.access.rate_limit import rate_limit
from webapp.api.dependencies import SettingsDep, StoreDep, TextsDep, require_acceptable_size
from webapp.api.part_fields import PartDep
from webapp.texts.translation import translated
from workers.projects.shipped_prompts import DEFAULT_PROJECT
from workers.scoring.inspecting import Wanted
from workers.scoring.inspections import inspect_all

router = APIRouter(prefix="/inspect", tags=["images"])


class RegionView(BaseModel):
    """A connected part of the image whose map reaches the map threshold; lengths in px, and in mm with a scale."""

    polygon: list[tuple[float, float]] = Field(description="corners (x, y) of its outline, px")
    box: tuple[int, int, int, int] = Field(description="left, top, right, bottom, px; the last two are outside")
    area: float = Field(description="px²")
    length: float = Field(description="the longest distance within it, px")
    peak: float = Field(description="highest value of the map in it, 0–1")
    box_mm: tuple[float, float, float, float] | None
    area_mm2: float | None
    length_mm: float | None


class Inspected(BaseModel):
    """What is said of one image."""

    file_name: str
    sha256: str
    id: int | None = Field(description="of the image that was kept; null: the project's rule keeps it not")
    kept: bool
    duplicate: bool = Field(description="whether the project had the same bytes already")
    width: int
    height: int
    verdict: Literal["normal", "anomalous"] | None = Field(
        description="null: nothing tells the project's images apart yet"
    )
    verdict_rule: Literal["score", "regions"] = Field(description="what the verdict goes by")
    region_of_interest: Literal["applied", "other_proportions"] | None = Field(
        description="whether only a region of it counts; null: there is none"
    )
    score: float
    probability: float | None = Field(description="calibrated, of being anomalous; null while it is not calibrated")
    threshold: float
    map_threshold: float
    px_per_mm: float | None
    regions: list[RegionView] = Field(description="the highest peak first, at most 50")
    prompt_version: int
    part: str | None
    lot: str | None
    station: str | None
    captured_at: datetime | None
    tags: list[str]
    map_png: str | None = Field(description="with map=true: 16-bit grey PNG of the image's size, 65,535 = 1, base64")
    milliseconds: float = Field(description="what it took on the server; its share, where a worker did several")


class NotInspected(BaseModel):
    """A file that can't be used as an image, and why."""

    file_name: str
    error: str


@router.post("", response_model=list[Inspected | NotInspected])
def post_inspect(
    request: Request,
    store: StoreDep,
    projects: ProjectsDep,
    settings: SettingsDep,
    caller: CallerDep,
    say: TextsDep,
    facts: PartDep,
    files: Annotated[list[UploadFile], File(description="Images; repeat the field for several.")],
    project: Annotated[str, Form(description="The project's name.")] = DEFAULT_PROJECT,
    map: Annotated[bool, Form(description="Whether the map comes along, as base64 of a PNG.")] = False,
    px_per_mm: Annotated[
        float | None, Form(gt=0, le=100_000, description="Pixels per millimetre; null: the project's px_per_mm.")
    ] = None,
) -> list[Inspected | NotInspected]:
    """Score images now and answer with their verdicts, one entry each in their order: what an upload gets later.

    Images are kept by the project's setting `keep`: all, `anomalous` (and unsure) ones, a `sample` (one in
    `keep_every`), or none. Where too many are in hand, 503 with Retry-After at once: nothing was kept, send it again.
    """
    project_id = projects.named(project, to_add=True).id
    if len(files) > settings.inspect_at_once:
        raise HTTPException(
            413,
            f"The request has {len(files)} images and the limit is {settings.inspect_at_once}. Send them in parts, "
            "or raise ANOMALYLOOP_INSPECT_AT_ONCE.",
        )
    for file in files:
        require_acceptable_size(file.size, settings)
    rate_limit.take(caller, settings, files=len(files), size=sum(file.size or 0 for file in files))
    images = [
        (Wanted(project_id, file.filename or "unnamed", caller.name, facts, px_per_mm, map), file.file.read())
        for file in files
    ]
    answers = inspect_all(store, images)
    kept = [str(one["id"]) for one in answers if one.get("id")]
    name_object(request, f"project {project}: images {', '.join(kept)}" if kept else f"project {project}")
    return [
        NotInspected(file_name=one["file_name"], error=translated(say, one["error"]))
        if "error" in one
        else Inspected(**one)
        for one in answers
    ]
