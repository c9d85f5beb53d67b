"""`/images`: uploading, listing, looking at and deleting images."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, File, Form, Header, Query, Request, Response, UploadFile
from pydantic import BaseModel, ConfigDict, Field

from db import images as image_rows
from db.image_filters import people_of
from db.images import (
    ImageFilter,
    clear_scoring_errors,
    count_by_status,
    count_images,
    delete_image,
    get_image_row,
    list_images,
)
from db.models import Image
from db.previews import has_previews
from db.store import Store
from settings import Settings
from webapp.access.callers import CallerDep
from webapp.access.gate import name_object
from webapp.access.pace import pace
from webapp.api.caching import revalidated
from webapp.api.dependencies import (
    DEFAULT_PROJECT,
    Id,
    Moment,
    SettingsDep,
    StoreDep,
    TextsDep,
    project_named,
    require_few,
)
from webapp.api.image_view import ImageView, image_views
from webapp.api.problems import problem
from webapp.samples import sample_images
from webapp.texts import Texts
from webapp.texts.sentences import said
from workers import dispatch
from workers.errors import ImageError
from workers.intake import add_upload
from workers.intake_once import Key, fingerprint, once
from workers.pictures import display_picture, thumbnail_bytes

router = APIRouter(prefix="/images", tags=["images"])

Label = Literal["normal", "anomalous"]


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
    """Some of a project's images; `total` counts all that pass the filter, `counts` all of the project by status."""

    items: list[ImageView]
    next_cursor: str | None
    total: int
    counts: dict[str, int]


@router.post("", status_code=201, response_model=list[Kept | Refused])
def post_images(
    request: Request,
    response: Response,
    store: StoreDep,
    settings: SettingsDep,
    caller: CallerDep,
    say: TextsDep,
    files: Annotated[list[UploadFile], File(description="Images; repeat the field for several.")],
    project: Annotated[str, Form(description="The project's name.")] = DEFAULT_PROJECT,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=255, description="The same upload under the same key is done once."),
    ] = None,
) -> list[Kept | Refused] | Response:
    """Keep images and queue them for scoring. A bad file is an entry with `error`; the others are kept all the same.

    With an Idempotency-Key, an upload that is sent again gets the answer of the first time (and the header
    Idempotency-Replayed), for a day unless set otherwise; another upload under the same key is refused.
    """
    project_id = project_named(store, project, to_add=True).id
    require_few(len(files), settings)
    pace.take(caller, settings, files=len(files), size=sum(file.size or 0 for file in files))

    def take_in() -> list[Kept | Refused]:
        return [_take_in(say, store, settings, project_id, file, caller.name) for file in files]

    outcomes = (
        take_in()
        if idempotency_key is None
        else _once(store, response, Key(caller.name, idempotency_key), project_id, files, take_in)
    )
    kept = [outcome.id for outcome in outcomes if isinstance(outcome, Kept)]
    if not kept:
        refused = [outcome.model_dump() for outcome in outcomes]
        detail = "None of the files could be kept. " + " ".join(
            f"{one['file_name']}: {one['error']}" for one in refused
        )
        return problem(request, 422, "unusable-image", "The image can't be used", detail, files=refused)
    dispatch.request_scoring(kept)
    name_object(request, f"project {project}: images {', '.join(map(str, kept))}")
    return outcomes


class Retry(BaseModel):
    """Which images to try again."""

    model_config = ConfigDict(extra="forbid")

    project: str = Field(DEFAULT_PROJECT, description="The project's name.")
    ids: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] | None = Field(
        None, max_length=1000, description="Only these; without it, all that failed."
    )


@router.post("/retry")
def post_retry(request: Request, store: StoreDep, wanted: Retry) -> list[int]:
    """Score images again that could not be scored (`status=failed`); returns the ids of those that are tried."""
    project_id = project_named(store, wanted.project).id
    with store.session() as session:
        ids = clear_scoring_errors(session, project_id, wanted.ids)
    dispatch.request_scoring(ids)
    name_object(request, f"project {wanted.project}: {len(ids)} images")
    return ids


@router.post("/samples", status_code=201)
def post_samples(
    request: Request,
    store: StoreDep,
    caller: CallerDep,
    project: Annotated[str, Body(embed=True, description="The project's name.")] = DEFAULT_PROJECT,
) -> list[int]:
    """Take in the three sample images as if they had been uploaded; returns their ids."""
    project_id = project_named(store, project, to_add=True).id
    samples = sample_images().items()
    ids = [add_upload(store, project_id, name, data, caller.name).image_id for name, data in samples]
    dispatch.request_scoring(ids)
    name_object(request, f"project {project}: images {', '.join(map(str, ids))}")
    return ids


def _once(
    store: Store,
    response: Response,
    key: Key,
    project_id: int,
    files: list[UploadFile],
    take_in: Callable[[], list[Kept | Refused]],
) -> list[Kept | Refused]:
    """The outcomes of this upload, or those that it had before under this key; refusals alone are not remembered."""
    refused: list[Kept | Refused] = []

    def take_in_now() -> list[dict[str, Any]]:
        outcomes = take_in()
        if any(isinstance(one, Kept) for one in outcomes):
            return [one.model_dump() for one in outcomes]
        refused.extend(outcomes)
        return []

    mark = fingerprint(project_id, [(file.filename or "", file.file) for file in files])
    answer, replayed = once(store, key, mark, take_in_now)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return refused or [Refused(**one) if "error" in one else Kept(**one) for one in answer]


def _take_in(
    say: Texts, store: Store, settings: Settings, project_id: int, file: UploadFile, author: str
) -> Kept | Refused:
    name = file.filename or "unnamed"
    if file.size is not None and file.size > settings.max_upload_mb * 1e6:  # before it is read into memory
        return Refused(
            file_name=name,
            error=said(
                say,
                f"The file has {file.size / 1e6:.1f} MB and the limit is {settings.max_upload_mb:g} MB. "
                "Save it smaller, or raise ANOMALYLOOP_MAX_UPLOAD_MB.",
            ),
        )
    try:
        added = add_upload(store, project_id, name, file.file.read(), author)
    except ImageError as error:
        return Refused(file_name=name, error=said(say, str(error)))
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
    say: TextsDep,
    project: str = DEFAULT_PROJECT,
    status: Literal["unscored", "failed", "to_review", "corrected"] | None = None,
    verdict: Annotated[Label | None, Query(description="what the active prompts say")] = None,
    label: Annotated[Label | None, Query(description="what people say")] = None,
    min_score: Annotated[float | None, Query(ge=0, le=1)] = None,
    max_score: Annotated[float | None, Query(ge=0, le=1)] = None,
    added_from: Annotated[Moment | None, Query(description="uploaded then or later")] = None,
    added_before: Annotated[Moment | None, Query(description="uploaded earlier")] = None,
    name: Annotated[str | None, Query(max_length=200, description="part of the file name")] = None,
    person: Annotated[str | None, Query(max_length=100, description="who uploaded or corrected it last")] = None,
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
    project_id = project_named(store, project).id
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
def get_people(store: StoreDep, project: str = DEFAULT_PROJECT) -> list[str]:
    """The names of those who uploaded or corrected images of a project: what `person` of a list can be."""
    project_id = project_named(store, project).id
    with store.session(read_only=True) as session:
        return people_of(session, project_id)


@router.get("/{image_id}")
def get_image(store: StoreDep, say: TextsDep, image_id: Id) -> ImageView:
    """One image with its score and its annotation; without a score, it is scored before others.

    Where corrections wait for a run, and other images have previews, this one gets its own next.
    """
    with store.session(read_only=True) as session:
        row = get_image_row(session, image_id)
        if row.prediction is None and row.image.scoring_error is None:
            dispatch.prefer([image_id])
        view = image_views(session, [row], say)[0]
        if row.prediction is not None and view.preview is None and has_previews(session, row.image.project_id):
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
    return revalidated(request, image.sha256, picture.media_type, picture.encode)


@router.get("/{image_id}/thumbnail", responses={200: {"content": {"image/jpeg": {}}}})
def get_thumbnail(request: Request, store: StoreDep, image_id: Id) -> Response:
    """A JPEG of at most 256 px."""
    image = _row(store, image_id)
    return revalidated(request, image.sha256, "image/jpeg", partial(thumbnail_bytes, store, image))


def _row(store: Store, image_id: int) -> Image:
    with store.session(read_only=True) as session:
        return image_rows.get_image(session, image_id)
