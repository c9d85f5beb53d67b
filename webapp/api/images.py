"""`/images`: uploading, listing, looking at and deleting images."""

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel

from db import images as image_rows
from db.images import count_by_status, delete_image, get_image_row, list_images
from db.models import Image
from db.store import Store
from settings import Settings
from webapp.api.caching import revalidated
from webapp.api.dependencies import DEFAULT_PROJECT, Id, SettingsDep, StoreDep, project_named
from webapp.api.image_view import ImageView, image_views
from webapp.api.problems import problem
from workers import dispatch
from workers.errors import ImageError
from workers.intake import add_upload
from workers.pictures import display_picture, thumbnail_bytes

router = APIRouter(prefix="/images", tags=["images"])


class Kept(BaseModel):
    """A file that was kept: it survives any crash from here on."""

    id: int
    sha256: str
    width: int
    height: int
    duplicate: bool
    file_name: str


class Refused(BaseModel):
    """A file that was not kept, and why."""

    file_name: str
    error: str


class ImagePage(BaseModel):
    """Some of a project's images; `total` counts all that have the status."""

    items: list[ImageView]
    next_cursor: str | None
    total: int


@router.post("", status_code=201, response_model=list[Kept | Refused])
def post_images(
    request: Request,
    store: StoreDep,
    settings: SettingsDep,
    files: Annotated[list[UploadFile], File(description="Images; repeat the field for several.")],
    project: Annotated[str, Form(description="The project's name.")] = DEFAULT_PROJECT,
) -> list[Kept | Refused] | Response:
    """Keep images and queue them for scoring. A bad file is an entry with `error`; the others are kept all the same."""
    project_id = project_named(store, project, to_add=True).id
    outcomes = [_take_in(store, settings, project_id, file) for file in files]
    kept = [outcome.id for outcome in outcomes if isinstance(outcome, Kept)]
    if not kept:
        refused = [outcome.model_dump() for outcome in outcomes]
        detail = "None of the files could be kept. " + " ".join(
            f"{one['file_name']}: {one['error']}" for one in refused
        )
        return problem(request, 422, "unusable-image", "The image can't be used", detail, files=refused)
    dispatch.request_scoring(kept)
    return outcomes


def _take_in(store: Store, settings: Settings, project_id: int, file: UploadFile) -> Kept | Refused:
    name = file.filename or "unnamed"
    if file.size is not None and file.size > settings.max_upload_mb * 1e6:  # before it is read into memory
        return Refused(
            file_name=name,
            error=f"The file has {file.size / 1e6:.1f} MB and the limit is {settings.max_upload_mb:g} MB. "
            "Save it smaller, or raise ANOMALYLOOP_MAX_UPLOAD_MB.",
        )
    try:
        added = add_upload(store, project_id, name, file.file.read())
    except ImageError as error:
        return Refused(file_name=name, error=str(error))
    return Kept(
        id=added.image_id,
        sha256=added.sha256,
        width=added.width,
        height=added.height,
        duplicate=added.duplicate,
        file_name=name,
    )


@router.get("")
def get_images(
    store: StoreDep,
    project: str = DEFAULT_PROJECT,
    status: Literal["unscored", "failed", "to_review", "corrected"] | None = None,
    order: Literal["newest", "score", "uncertain"] = "newest",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: str | None = None,
) -> ImagePage:
    """A page of images; `next_cursor` leads to the next one."""
    project_id = project_named(store, project).id
    with store.session(read_only=True) as session:
        page = list_images(session, project_id, status=status, order=order, limit=limit, cursor=cursor)
        counts = count_by_status(session, project_id)
        total = sum(counts.values()) if status is None else counts[status]
        return ImagePage(items=image_views(session, page.items), next_cursor=page.next_cursor, total=total)


@router.get("/{image_id}")
def get_image(store: StoreDep, image_id: Id) -> ImageView:
    """One image with its score and its annotation."""
    with store.session(read_only=True) as session:
        return image_views(session, [get_image_row(session, image_id)])[0]


@router.delete("/{image_id}", status_code=204)
def remove_image(store: StoreDep, image_id: Id) -> None:
    """Delete an image with its predictions and annotations."""
    with store.session() as session:
        orphans = delete_image(session, image_id)
    for key in orphans:
        store.blobs.delete(key)


@router.get("/{image_id}/display", responses={200: {"content": {"image/png": {}, "image/jpeg": {}}}})
def get_display(request: Request, store: StoreDep, image_id: Id) -> Response:
    """The upright 8-bit RGB picture at full size, as any browser shows it."""
    image = _row(store, image_id)
    picture = display_picture(store, image)
    return revalidated(request, image.sha256, picture.media_type, picture.encode)


@router.get("/{image_id}/thumbnail", responses={200: {"content": {"image/jpeg": {}}}})
def get_thumbnail(request: Request, store: StoreDep, image_id: Id) -> Response:
    """A JPEG of at most 256 px."""
    image = _row(store, image_id)
    return revalidated(request, image.sha256, "image/jpeg", partial(thumbnail_bytes, store, image))


def _row(store: Store, image_id: int) -> Image:
    with store.session(read_only=True) as session:
        return image_rows.get_image(session, image_id)
