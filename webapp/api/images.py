"""`/images`: listing, looking at, trying again and deleting images."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from db.images import images as image_rows
from db.images.filters import ImageFilter, people_of
from db.images.images import clear_scoring_errors, delete_image
from db.images.pages import count_images, list_images
from db.images.previews import has_previews
from db.images.rows import count_by_status, get_image_row
from db.store import Store
from db.tables.core import Image
from webapp.access.gate import name_object
from webapp.access.projects import ProjectsDep
from webapp.api.caching import revalidated
from webapp.api.dependencies import Id, Moment, StoreDep, TextsDep
from webapp.api.image_view import ImageView, image_views
from workers.broker import dispatch
from workers.images.pictures import display_picture, thumbnail_bytes
from workers.projects.shipped_prompts import DEFAULT_PROJECT

router = APIRouter(prefix="/images", tags=["images"])

Label = Literal["normal", "anomalous"]


class ImagePage(BaseModel):
    """Some of a project's images; `total` counts all that pass the filter, `counts` all of the project by status."""

    items: list[ImageView]
    next_cursor: str | None
    total: int
    counts: dict[str, int]


class Retry(BaseModel):
    """Which images to try again."""

    model_config = ConfigDict(extra="forbid")

    project: str = Field(DEFAULT_PROJECT, description="The project's name.")
    ids: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] | None = Field(
        None, max_length=1000, description="Only these; without it, all that failed."
    )


@router.post("/retry")
def post_retry(request: Request, store: StoreDep, projects: ProjectsDep, wanted: Retry) -> list[int]:
    """Score images again that could not be scored (`status=failed`); returns the ids of those that are tried."""
    project_id = projects.named(wanted.project).id
    with store.session() as session:
        ids = clear_scoring_errors(session, project_id, wanted.ids)
    dispatch.request_scoring(ids)
    name_object(request, f"project {wanted.project}: {len(ids)} images")
    return ids


@router.get("")
def get_images(
    store: StoreDep,
    projects: ProjectsDep,
    say: TextsDep,
    project: str = DEFAULT_PROJECT,
    status: Literal["unscored", "failed", "to_review", "corrected"] | None = None,
    verdict: Annotated[Label | None, Query(description="what the active prompts say")] = None,
    label: Annotated[Label | None, Query(description="what people say")] = None,
    min_score: Annotated[float | None, Query(ge=0, le=1)] = None,
    max_score: Annotated[float | None, Query(ge=0, le=1)] = None,
    added_from: Annotated[Moment | None, Query(description="uploaded then or later")] = None,
    added_before: Annotated[Moment | None, Query(description="uploaded earlier")] = None,
    name: Annotated[
        str | None, Query(max_length=200, description="part of the file name, the part, the lot, the station or a tag")
    ] = None,
    person: Annotated[str | None, Query(max_length=100, description="who uploaded or corrected it last")] = None,
    golden: Annotated[bool | None, Query(description="whether it is in the golden set")] = None,
    order: Annotated[
        Literal["newest", "score", "uncertain"], Query(description="`uncertain`: what to correct next comes first")
    ] = "newest",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str | None = None,
) -> ImagePage:
    """A page of images; `next_cursor` leads to the next one.

    What to correct next (`order=uncertain`, best with `status=to_review`): images whose score lies near the threshold,
    whose map is unsure of itself, and which are unlike those corrected so far. `expected_gain` is the mean of the
    three, `reason` the largest of them.
    """
    project_id = projects.named(project).id
    wanted = ImageFilter(
        status=status,
        verdict=verdict,
        label=label,
        min_score=min_score,
        max_score=max_score,
        added_from=added_from,
        added_before=added_before,
        name=name,
        person=person,
        golden=golden,
    )
    with store.session(read_only=True) as session:
        page = list_images(session, project_id, wanted=wanted, order=order, limit=limit, cursor=cursor)
        counts = count_by_status(session, project_id)
        if wanted.by_status_alone:
            total = sum(counts.values()) if status is None else counts[status]
        else:
            total = count_images(session, project_id, wanted)
        views = image_views(session, page.items, say)
    return ImagePage(items=views, next_cursor=page.next_cursor, total=total, counts=counts)


@router.get("/people")
def get_people(store: StoreDep, projects: ProjectsDep, project: str = DEFAULT_PROJECT) -> list[str]:
    """The names of those who uploaded or corrected images of a project: what `person` of a list can be."""
    project_id = projects.named(project).id
    with store.session(read_only=True) as session:
        return people_of(session, project_id)


@router.get("/{image_id}")
def get_image(
    store: StoreDep,
    say: TextsDep,
    image_id: Id,
    opened: Annotated[bool, Query(description="someone looks at it: previewed where others are")] = False,
) -> ImageView:
    """One image with its score and its annotation; without a score, it is scored before others."""
    with store.session(read_only=True) as session:
        row = get_image_row(session, image_id)
        if row.prediction is None and row.image.scoring_error is None:
            dispatch.prefer([image_id])
        view = image_views(session, [row], say)[0]
        wanting = opened and row.prediction is not None and view.preview is None
        if wanting and has_previews(session, row.image.project_id):
            dispatch.request_preview(row.image.project_id, image_id)
        return view


@router.delete("/{image_id}", status_code=204)
def remove_image(store: StoreDep, image_id: Id) -> None:
    """Delete an image with its predictions and annotations."""
    with store.session() as session:
        keys = delete_image(session, image_id)
    store.delete_blobs(keys)


@router.get("/{image_id}/display", responses={200: {"content": {"image/png": {}, "image/jpeg": {}}}})
def get_display(request: Request, store: StoreDep, image_id: Id) -> Response:
    """The upright 8-bit RGB picture at full size, as any browser shows it."""
    image = _row(store, image_id)
    picture = display_picture(store, image)
    return revalidated(request, image.seen_key, picture.media_type, picture.encode)


@router.get("/{image_id}/thumbnail", responses={200: {"content": {"image/jpeg": {}}}})
def get_thumbnail(request: Request, store: StoreDep, image_id: Id) -> Response:
    """A JPEG of at most 256 px."""
    image = _row(store, image_id)
    return revalidated(request, image.seen_key, "image/jpeg", partial(thumbnail_bytes, store, image))


def _row(store: Store, image_id: int) -> Image:
    with store.session(read_only=True) as session:
        return image_rows.get_image(session, image_id)
