"""The anomaly map of an image's active prediction, at the model's resolution or at the image's."""

from collections.abc import Callable
from typing import Literal

from sqlalchemy.orm import Session

from db.images import get_image
from db.models import Image, Prediction
from db.predictions import active_prediction, latest_prediction
from db.store import Store
from engine.maps import FloatMap, map_from_npy, map_to_npy, map_to_png16, resize_map
from workers.errors import NotReady


def grid_map(store: Store, image_id: int) -> FloatMap:
    """(s, s) float32, 0–1, as the model made it. Raises NotFound (no such image), NotReady (not scored yet)."""
    _, prediction = scored_image(store, image_id)
    return read_map(store, prediction)


def scored_image(store: Store, image_id: int) -> tuple[Image, Prediction]:
    """The image and its active prediction. Raises NotFound (no such image), NotReady (not scored yet)."""
    return _with_prediction(store, image_id, active_prediction)


def shown_image(store: Store, image_id: int) -> tuple[Image, Prediction]:
    """The image and its active prediction; until the active prompts have scored it, that of those before them.

    Raises NotFound (no such image), NotReady (no prompts have scored it yet).
    """
    return _with_prediction(store, image_id, lambda *image: active_prediction(*image) or latest_prediction(*image))


def _with_prediction(
    store: Store, image_id: int, find: Callable[[Session, int], Prediction | None]
) -> tuple[Image, Prediction]:
    with store.session(read_only=True) as session:
        image = get_image(session, image_id)
        prediction = find(session, image_id)
    if prediction is None:
        raise NotReady(_why_unscored(image))
    return image, prediction


def read_map(store: Store, prediction: Prediction) -> FloatMap:
    """The map of a prediction, (s, s) float32, 0–1."""
    return map_from_npy(store.blobs.get(prediction.map_blob_key))


def _why_unscored(image: Image) -> str:
    if image.scoring_error:
        return f"Image {image.id} could not be scored. {image.scoring_error}"
    return f"Image {image.id} is not scored yet by the active prompts. It is its turn soon; ask again in a moment."


def encode_full_map(store: Store, image: Image, prediction: Prediction, kind: Literal["npy", "png"]) -> bytes:
    """A prediction's map at the image's size, as a float32 `.npy` file or as a 16-bit grey PNG."""
    resized = resize_map(read_map(store, prediction), image.height, image.width)
    return map_to_npy(resized) if kind == "npy" else map_to_png16(resized)
