"""`/images/{id}/annotation` and `/images/{id}/mask`: what people say of an image."""

import json
from collections.abc import Callable
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Header, HTTPException, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from db.images.annotations import newest_annotation
from db.images.images import get_image
from db.tables.core import Annotation
from settings import Settings
from webapp.access.callers import CallerDep
from webapp.api.caching import revalidated
from webapp.api.dependencies import Id, SettingsDep, StoreDep, TextsDep, require_acceptable_size
from webapp.api.image_view import AnnotationView, annotation_view
from webapp.texts.translation import translated
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
        return annotation_view(saved, translated(say, note))
    if kind == "application/json":
        state = _statement(await request.body())
        saved = await run_in_threadpool(state, store, image_id, author=caller.name, expected_revision=expected)
        return annotation_view(saved)
    raise HTTPException(
        415,
        'Send multipart/form-data with a file `mask`, or JSON {"label": "normal"}, {"label": "anomalous"} or '
        '{"accept": true}.',
    )


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
