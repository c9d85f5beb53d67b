"""The anomaly maps of an image: in use, previewed, or of the prompts alone."""

from collections.abc import Callable
from typing import Literal, TypeVar

from sqlalchemy.orm import Session

from db.images.images import get_image
from db.images.predictions import active_prediction, latest_prediction
from db.images.previews import previews_of
from db.store import Store
from db.tables.core import Image, Prediction, Preview
from db.tables.interest import OldPrediction
from db.training.prompt_versions import get_version
from engine.detector.interest import cells_within, full_map
from engine.detector.maps import FloatMap, map_from_npy, map_to_npy, map_to_png16
from engine.images.interest import Interest
from workers.errors import NoPreview, NotReady
from workers.images.pixel_rooms import SHOWING
from workers.operations.first_imports import heavy_imports
from workers.scoring.engine_host import get_engine

Found = TypeVar("Found")


def grid_map(store: Store, image_id: int) -> FloatMap:
    """(s, s) float32, 0–1, as the model made it. Raises NotFound (no such image), NotReady (not scored yet)."""
    _, prediction = scored_image(store, image_id)
    return read_map(store, prediction)


def scored_image(store: Store, image_id: int) -> tuple[Image, Prediction]:
    """The image and its active prediction. Raises NotFound (no such image), NotReady (not scored yet)."""
    return _with_prediction(store, image_id, active_prediction)


def shown_image(store: Store, image_id: int) -> tuple[Image, Prediction | OldPrediction]:
    """The image and its active prediction; until the active prompts have scored it, that of those before them.

    Raises NotFound (no such image), NotReady (no prompts have scored it yet).
    """
    return _with_prediction(store, image_id, lambda *image: active_prediction(*image) or latest_prediction(*image))


def _with_prediction(store: Store, image_id: int, find: Callable[[Session, int], Found | None]) -> tuple[Image, Found]:
    with store.session(read_only=True) as session:
        image = get_image(session, image_id)
        prediction = find(session, image_id)
    if prediction is None:
        raise NotReady(_why_unscored(image))
    return image, prediction


def previewed_image(store: Store, image_id: int) -> tuple[Image, Preview]:
    """The image and what the corrections so far make of it. Raises NotFound (no such image), NoPreview."""
    with store.session(read_only=True) as session:
        image = get_image(session, image_id)
        preview = previews_of(session, [image_id]).get(image_id)
    if preview is None:
        raise NoPreview(
            f"There is no preview of image {image_id}: nothing was corrected since the last version came into use, no "
            "correction marks a defect, or other images come first. Correct an image, or ask for the map in use."
        )
    return image, preview


def read_map(store: Store, prediction: Prediction | OldPrediction | Preview) -> FloatMap:
    """The map of a prediction or of a preview, (h, w) float32, 0–1."""
    return map_from_npy(store.blobs.get(prediction.map_blob_key))


def prompts_map(store: Store, image: Image, prediction: Prediction | OldPrediction) -> FloatMap:
    """What the prompts of a prediction's version say without all that was learnt besides, (h, w) float32, 0–1.

    From cached features, or else the image is encoded. Raises BackboneError, PromptError.
    """
    engine = get_engine()
    with heavy_imports:
        from workers.images.seen import detector_of, image_features
    with store.session(read_only=True) as session:
        version = get_version(session, prediction.prompt_version_id)
    detector = detector_of(store, engine, version).prompts_alone()
    features, _ = image_features(store, engine, image)
    return engine.score([features], detector)[0].anomaly_map


def _why_unscored(image: Image) -> str:
    if image.scoring_error:
        return f"Image {image.id} could not be scored. {image.scoring_error}"
    return f"Image {image.id} is not scored yet by the active prompts. It is its turn soon; ask again in a moment."


def grid_within(anomaly_map: FloatMap, interest: Interest | None) -> FloatMap:
    """(h, w) a map at the model's resolution, 0 where its cells do not reach into the region of interest."""
    return cells_within(anomaly_map, interest)


def encode_full_map(
    anomaly_map: FloatMap, image: Image, kind: Literal["npy", "png"], interest: Interest | None = None
) -> bytes:
    """A map at the image's size, 0 where a pixel does not count, as a float32 `.npy` file or a 16-bit grey PNG."""
    with SHOWING.take(image.width * image.height):
        resized = full_map(anomaly_map, image.height, image.width, interest)
        return map_to_npy(resized) if kind == "npy" else map_to_png16(resized)
