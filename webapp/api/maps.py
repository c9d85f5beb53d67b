"""`/images/{id}/map`: an anomaly map of an image, as an array, as a picture, or at the model's resolution."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, HTTPException, Query, Request, Response

from db.store import Store
from db.tables.core import Image
from db.training.prompt_versions import get_version
from webapp.api.caching import revalidated
from webapp.api.dependencies import Id, StoreDep
from workers.scoring.interest import Interest, Regions, encode_counting, interest_of_map
from workers.scoring.maps import encode_full_map, grid_within, previewed_image, prompts_map, read_map, shown_image
from workers.scoring.unlike_others import compared_with, unlike_map

router = APIRouter(prefix="/images", tags=["images"])

_MEDIA_TYPES = {"npy": "application/octet-stream", "png": "image/png", "grid": "application/octet-stream"}


@dataclass(frozen=True)
class _Found:
    """A map that was asked for.

    Attributes:
        image: of which.
        key: names its bytes.
        version_id: of the version behind it.
        read: the map, (h, w).
        interest: which of the image's pixels count; None: all.
    """

    image: Image
    key: str
    version_id: int
    read: Callable[[], np.ndarray]
    interest: Interest | None


@router.get("/{image_id}/map", responses={200: {"content": {kind: {} for kind in _MEDIA_TYPES.values()}}})
def get_map(
    request: Request,
    store: StoreDep,
    image_id: Id,
    format: Literal["npy", "png", "grid"] = "npy",
    preview: Annotated[
        bool, Query(description="what the corrections so far make of it; 404 where there is none")
    ] = False,
    part: Annotated[
        Literal["all", "prompts", "unlike_others"],
        Query(
            description="`prompts`: without what the version learnt besides them; `unlike_others`: how rare each place "
            "is among the project's newest images, ½ for one in a hundred; 404 unless the image's `unlike_others` is "
            "true"
        ),
    ] = "all",
) -> Response:
    """Anomaly map, values 0–1: as the version in use refines it, the prompts' own, or what is unlike the others.

    `npy`: float32 H×W at the image's size. `png`: the same as 16-bit grey, 65,535 = 1. `grid`: float32 little-endian,
    row by row, at the model's resolution, whose size is in X-Map-Height and X-Map-Width. X-Prompt-Version names the
    version that made it: the one before the active one, until this has scored the image; of a preview, the one that
    was active when it was made.
    """
    if preview and part != "all":
        raise HTTPException(422, f"A preview is a map of its own. Ask for preview or for part={part}.")
    found = _preview(store, image_id) if preview else _in_use(store, image_id, part)
    with store.session(read_only=True) as session:
        headers = {"X-Prompt-Version": str(get_version(session, found.version_id).number)}
    etag = f"{found.key}-{format}"
    if format == "grid":
        grid = grid_within(found.read(), found.interest)
        headers |= {"X-Map-Height": str(grid.shape[0]), "X-Map-Width": str(grid.shape[1])}
        return revalidated(request, etag, _MEDIA_TYPES[format], grid.astype("<f4").tobytes, headers)
    headers["Content-Disposition"] = f'inline; filename="map-{image_id}.{format}"'
    whole = partial(encode_full_map, image=found.image, kind=format, interest=found.interest)
    return revalidated(request, etag, _MEDIA_TYPES[format], lambda: whole(found.read()), headers)


@router.get("/{image_id}/region_of_interest", responses={200: {"content": {"image/png": {}}}})
def get_region_of_interest(request: Request, store: StoreDep, image_id: Id) -> Response:
    """Which pixels counted in the image's map: 8-bit PNG of its size, 255 where one counts; 404 where all do."""
    image, prediction = shown_image(store, image_id)
    interest = interest_of_map(store, prediction, image)
    if interest is None:
        raise HTTPException(404, f"All of image {image_id} counts: there is no region of interest for it.")
    etag = f"{prediction.interest_blob_key}-{image.width}-{image.height}"
    return revalidated(request, etag, "image/png", partial(encode_counting, image, interest))


def _in_use(store: Store, image_id: int, part: str) -> _Found:
    image, prediction = shown_image(store, image_id)
    key, version_id = f"{prediction.map_blob_key}-{prediction.interest_blob_key}", prediction.prompt_version_id
    interest = interest_of_map(store, prediction, image)
    if part == "unlike_others":
        compared = compared_with(store, image.project_id)
        name = f"{image.seen_key}-{compared.name}-{prediction.interest_blob_key}"
        return _Found(image, name, version_id, partial(unlike_map, store, image, compared), interest)
    if part == "prompts":
        return _Found(image, f"{key}-prompts", version_id, partial(prompts_map, store, image, prediction), interest)
    return _Found(image, key, version_id, partial(read_map, store, prediction), interest)


def _preview(store: Store, image_id: int) -> _Found:
    image, preview = previewed_image(store, image_id)
    regions = Regions(store, image.project_id)
    key = f"{preview.map_blob_key}-{regions.key_of(image)}"
    return _Found(image, key, preview.prompt_version_id, partial(read_map, store, preview), regions.of(image))
