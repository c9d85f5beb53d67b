"""An image as the engine sees it, and a version ready to score it. torch is not imported here: the page reads this."""

from functools import partial
from typing import TYPE_CHECKING

from db.store import Store
from db.tables.core import Image, PromptVersion
from engine.images.decoding import decode_image
from engine.images.depth import DepthRule
from workers.images.pixel_rooms import DECODING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from engine.detector.detector import Detector
    from engine.features.image_features import ImageFeatures
    from engine.serving.engine import Engine


def picture_of(store: Store, image: Image) -> "Picture":
    """An upload, decoded; it was within the limits when it was taken in. Raises BlobMissing, ImageError."""
    return decode_stored(image, store.blobs.get(image.blob_key))


def decode_stored(image: Image, data: bytes) -> "Picture":
    """An upload's bytes, decoded, by the rule that it is seen by. Raises ImageError."""
    depth = None if image.depth is None else DepthRule.parse(image.depth)
    return decode_image(data, max_pixels=image.width * image.height, max_bytes=len(data), depth=depth, room=DECODING)


def image_features(store: Store, engine: "Engine", image: Image) -> tuple["ImageFeatures", bool]:
    """The features of an image with their surface, and whether it had to be encoded."""
    return engine.features(image.seen_key, partial(picture_of, store, image))


def detector_of(store: Store, engine: "Engine", version: PromptVersion) -> "Detector":
    """What a version is. Raises PromptError where it belongs to another backbone."""
    return engine.detector(version.sha256, partial(store.blobs.get, version.blob_key))
