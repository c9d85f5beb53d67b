"""`/projects/{project_id}/region_of_interest`: which pixels of a project's images count, at all stations or at one."""

from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, HTTPException, Query, Request, Response, UploadFile
from pydantic import BaseModel, Field

from db.projects.interest import regions_of_interest
from db.projects.projects import get_project
from db.store import Store
from db.tables.interest import RegionOfInterest
from webapp.access.callers import CallerDep
from webapp.api.caching import revalidated
from webapp.api.dependencies import Id, SettingsDep, StoreDep, require_acceptable_size
from workers.projects.interest import drop_region_of_interest, use_region_of_interest

router = APIRouter(prefix="/projects/{project_id}", tags=["projects"])

Station = Annotated[
    str, Query(max_length=200, description="of the images; empty: all that have no region of their own")
]


class RegionOfInterestView(BaseModel):
    """A mask of what counts. Images of its proportions count where it says so; others count as a whole."""

    station: str = Field(description="empty: of all images that have no region of their own")
    width: int
    height: int
    area: int = Field(description="pixels of the mask that count")
    author: str
    created_at: datetime


@router.get("/regions_of_interest")
def get_regions_of_interest(store: StoreDep, project_id: Id) -> list[RegionOfInterestView]:
    """The project's regions, that of all stations first; none: all of every image counts."""
    with store.session(read_only=True) as session:
        get_project(session, project_id)
        return [_view(one) for one in regions_of_interest(session, project_id)]


@router.get("/region_of_interest", responses={200: {"content": {"image/png": {}}}})
def get_region_of_interest(request: Request, store: StoreDep, project_id: Id, station: Station = "") -> Response:
    """The mask: 8-bit PNG, 255 where a pixel counts; 404 where there is none."""
    key = _find(store, project_id, station).mask_blob_key
    return revalidated(request, key, "image/png", partial(store.blobs.get, key))


@router.put("/region_of_interest", status_code=201)
def put_region_of_interest(
    store: StoreDep,
    settings: SettingsDep,
    caller: CallerDep,
    project_id: Id,
    mask: Annotated[UploadFile, File(description="an image file; what lies above the middle of its range is marked")],
    marks: Annotated[
        Literal["interest", "ignore"], Form(description="whether what it marks counts, or is ignored")
    ] = "interest",
    station: Annotated[str, Form(max_length=200)] = "",
) -> RegionOfInterestView:
    """Use a mask from now on: in score, map (0 outside), regions, verdicts, metrics and exports.

    All images that it concerns are scored anew; until then what was said of them is told as `old_score`.
    """
    require_acceptable_size(mask.size, settings)
    data = mask.file.read()
    return _view(
        use_region_of_interest(store, project_id, data, marks=marks, station=station.strip(), author=caller.name)
    )


@router.delete("/region_of_interest", status_code=204)
def delete_region_of_interest(store: StoreDep, project_id: Id, station: Station = "") -> None:
    """Remove it: all of these images counts again, as it did before, or what the region of all stations says."""
    drop_region_of_interest(store, project_id, station)


def _find(store: Store, project_id: int, station: str) -> RegionOfInterest:
    with store.session(read_only=True) as session:
        get_project(session, project_id)
        found = next((one for one in regions_of_interest(session, project_id) if one.station == station), None)
    if found is None:
        where = f"the station {station!r}" if station else "all stations"
        raise HTTPException(404, f"There is no region of interest for {where}: all of the images counts.")
    return found


def _view(row: RegionOfInterest) -> RegionOfInterestView:
    return RegionOfInterestView.model_validate(row, from_attributes=True)
