"""`/images/{id}/map`: the anomaly map in use, as an array, as a picture, or at the model's resolution."""

from functools import partial
from typing import Literal

from fastapi import APIRouter, Request, Response

from db.prompt_versions import get_version
from webapp.api.caching import revalidated
from webapp.api.dependencies import Id, StoreDep
from workers.maps import encode_full_map, read_map, shown_image

router = APIRouter(prefix="/images", tags=["images"])

_MEDIA_TYPES = {"npy": "application/octet-stream", "png": "image/png", "grid": "application/octet-stream"}


@router.get("/{image_id}/map", responses={200: {"content": {kind: {} for kind in _MEDIA_TYPES.values()}}})
def get_map(request: Request, store: StoreDep, image_id: Id, format: Literal["npy", "png", "grid"] = "npy") -> Response:
    """Anomaly map, values 0–1: mean over layers of (S_a + 1 − S_n)/2, Gaussian-filtered.

    `npy`: float32 H×W at the image's size. `png`: the same as 16-bit grey, 65,535 = 1. `grid`: float32 little-endian,
    row by row, at the model's resolution, whose size is in X-Map-Height and X-Map-Width. X-Prompt-Version names the
    prompts that made it: those before the active ones, until these have scored the image.
    """
    image, prediction = shown_image(store, image_id)
    with store.session(read_only=True) as session:
        headers = {"X-Prompt-Version": str(get_version(session, prediction.prompt_version_id).number)}
    etag = f"{prediction.map_blob_key}-{format}"
    if format == "grid":
        grid = read_map(store, prediction)
        headers |= {"X-Map-Height": str(grid.shape[0]), "X-Map-Width": str(grid.shape[1])}
        return revalidated(request, etag, _MEDIA_TYPES[format], grid.astype("<f4").tobytes, headers)
    headers["Content-Disposition"] = f'inline; filename="map-{image_id}.{format}"'
    encode = partial(encode_full_map, store, image, prediction, format)
    return revalidated(request, etag, _MEDIA_TYPES[format], encode, headers)
