"""`/images/{id}/annotation` and `/images/{id}/mask`: what people say of an image."""

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from db.defects.naming import LONGEST_COMMENT, named_regions
from db.images.annotations import newest_annotation
from db.images.images import get_image
from db.store import Store
from db.tables.core import Annotation
from settings import Settings
from webapp.access.callers import CallerDep
from webapp.api.caching import revalidated
from webapp.api.dependencies import Id, SettingsDep, StoreDep, TextsDep, require_acceptable_size
from webapp.api.image_view import AnnotationView, annotation_view
from webapp.texts.translation import translated
from workers.defects.naming import Naming, name_defects
from workers.images.correcting import accept, mark_anomalous, mark_normal, save_mask_file

router = APIRouter(prefix="/images", tags=["annotations"])


class Statement(BaseModel):
    """One of the things to say without a mask."""

    model_config = ConfigDict(extra="forbid")

    label: Literal["normal", "anomalous"] | None = None
    accept: Literal[True] | None = None
    prompt_version: int | None = Field(
        None, description="With accept: whose map was seen. Where another version is in use since: 409, map-changed."
    )


_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["mask"],
                "properties": {"mask": {"type": "string", "format": "binary"}},
            }
        },
        "application/json": {
            "schema": Statement.model_json_schema(),
            "examples": {"normal": {"value": {"label": "normal"}}, "accept": {"value": {"accept": True}}},
        },
    },
}


@router.put("/{image_id}/annotation", status_code=201, openapi_extra={"requestBody": _BODY})
async def put_annotation(
    request: Request,
    store: StoreDep,
    settings: SettingsDep,
    caller: CallerDep,
    say: TextsDep,
    image_id: Id,
    if_match: Annotated[str | None, Header(description="The newest revision that you have seen; 0: none.")] = None,
) -> AnnotationView:
    """Append a revision.

    multipart/form-data with `mask`, an image file of the image's size: what lies above the middle of its range is
    anomalous, one that marks nothing says normal. Or JSON `{"label": "normal"}`, or `{"label": "anomalous"}`: something
    is wrong with the image, and nobody says where; or JSON `{"accept": true}`: agree with the active prediction.
    """
    expected = _revision(if_match)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        mask = await _read_mask(request, settings)
        keep = partial(save_mask_file, author=caller.name, expected_revision=expected)
        saved, note = await run_in_threadpool(keep, store, image_id, mask)
        return _view(store, saved, translated(say, note))
    if kind == "application/json":
        state = _statement(await request.body())
        saved = await run_in_threadpool(state, store, image_id, author=caller.name, expected_revision=expected)
        return _view(store, saved)
    raise HTTPException(
        415,
        'Send multipart/form-data with a file `mask`, or JSON {"label": "normal"}, {"label": "anomalous"} or '
        '{"accept": true}.',
    )


class DefectNaming(BaseModel):
    """A kind of defect for a region."""

    model_config = ConfigDict(extra="forbid")

    kind_id: int = Field(ge=1, le=2**31 - 1)
    x: int | None = Field(None, ge=0, description="of any pixel in the region; null, as y: the image as a whole")
    y: int | None = Field(None, ge=0)


class Reasons(BaseModel):
    """What is said of the newest correction besides its mask; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    defects: list[DefectNaming] | None = Field(None, max_length=1000, description="All regions that have a kind.")
    comment: str | None = Field(None, max_length=LONGEST_COMMENT)


@router.patch("/{image_id}/annotation")
def patch_annotation(
    store: StoreDep,
    image_id: Id,
    reasons: Reasons,
    if_match: Annotated[str | None, Header(description="The revision that you have seen.")] = None,
) -> AnnotationView:
    """Give the regions of the newest correction kinds of defect, and the correction a comment.

    It stays the same revision: masks and labels are as they were, and nothing is learnt anew. A region is a connected
    part of the mask (8 neighbours), named by any pixel in it; an image that is anomalous without a mask has one kind as
    a whole. A later revision takes the kinds of regions that it overlaps over.
    """
    given = None
    if reasons.defects is not None:
        given = [Naming(one.kind_id, one.x, one.y) for one in reasons.defects]
    saved = name_defects(store, image_id, given, reasons.comment, expected_revision=_revision(if_match))
    return _view(store, saved)


def _view(store: Store, annotation: Annotation, note: str = "") -> AnnotationView:
    with store.session(read_only=True) as session:
        named = named_regions(session, [annotation.id]).get(annotation.id, [])
    return annotation_view(annotation, named, note)


def _revision(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    try:
        return int(if_match.removeprefix("W/").strip().strip('"'))
    except ValueError as error:
        raise HTTPException(400, f"If-Match is the number of a revision, such as 3, not {if_match!r}.") from error


async def _read_mask(request: Request, settings: Settings) -> bytes:
    async with request.form() as form:
        mask = form.get("mask")
        if not isinstance(mask, UploadFile):
            raise HTTPException(422, "The form has no file `mask`. Send the mask as an image file under that name.")
        require_acceptable_size(mask.size, settings)
        return await mask.read()


def _statement(body: bytes) -> Callable[..., Annotation]:
    try:
        statement = Statement.model_validate(json.loads(body))
    except (ValueError, ValidationError) as error:
        raise HTTPException(
            422,
            'The JSON is none of {"label": "normal"}, {"label": "anomalous"} and {"accept": true}. '
            "Masks are sent as a form.",
        ) from error
    if (statement.label is None) == (statement.accept is None):
        raise HTTPException(422, 'Say one thing: {"label": "normal"}, {"label": "anomalous"} or {"accept": true}.')
    if statement.accept:
        return partial(accept, seen_version=statement.prompt_version)
    return {"normal": mark_normal, "anomalous": mark_anomalous}[str(statement.label)]


@router.get("/{image_id}/mask", responses={200: {"content": {"image/png": {}}}})
def get_mask(request: Request, store: StoreDep, image_id: Id) -> Response:
    """The newest annotation's mask: 8-bit PNG of the image's size, 0 or 255; 404 where it has none."""
    with store.session(read_only=True) as session:
        get_image(session, image_id)
        annotation = newest_annotation(session, image_id)
    if annotation is None:
        raise HTTPException(404, f"Nobody has corrected image {image_id} yet, so there is no mask.")
    if annotation.mask_blob_key is None:
        raise HTTPException(404, f"Image {image_id} is called {annotation.label} without a mask.")
    return revalidated(
        request, annotation.mask_blob_key, "image/png", partial(store.blobs.get, annotation.mask_blob_key)
    )
