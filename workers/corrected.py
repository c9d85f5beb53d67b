"""Corrections as the engine learns from them: rows and blobs → features, and shares of area that are anomalous."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from db.models import Annotation, Image, PromptVersion
from db.prompt_versions import get_version
from db.store import Store
from engine.features import surface_of
from engine.images import decode_image, decode_mask
from engine.learning.corrections import Correction
from engine.preprocess import mask_shares
from workers.errors import PromptError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from sqlalchemy.orm import Session

    from engine.detector.detector import Detector
    from engine.features import ImageFeatures
    from engine.serving import Engine


def read_corrections(
    store: Store, engine: "Engine", annotations: Sequence[Annotation]
) -> Iterator[tuple[Correction, bool]]:
    """Each correction, and whether its image had to be encoded. Raises BlobMissing, ImageError."""
    for annotation in annotations:
        features, fresh = image_features(store, engine, annotation.image)
        label = int(annotation.label == "anomalous")
        marked = _marked(store, annotation, features)
        yield Correction(annotation.image.sha256, features, label, marked, annotation.image.file_name), fresh


def image_features(store: Store, engine: "Engine", image: Image) -> tuple["ImageFeatures", bool]:
    """The features of an image, and whether it had to be encoded."""
    return engine.features(image.sha256, partial(picture_of, store, image))


def picture_of(store: Store, image: Image) -> "Picture":
    """An upload, decoded; it was within the limits when it was taken in."""
    data = store.blobs.get(image.blob_key)
    return decode_image(data, max_pixels=image.width * image.height, max_bytes=len(data))


def _marked(store: Store, annotation: Annotation, features: "ImageFeatures") -> torch.Tensor | None:
    """(h, w) of the surface: shares of area; None where an image is called anomalous and nobody said where."""
    height, width = surface_of(features).pixels.shape[:2]
    if annotation.mask_blob_key is None:
        return None if annotation.label == "anomalous" else torch.zeros(height, width)
    image = annotation.image
    mask = decode_mask(store.blobs.get(annotation.mask_blob_key), width=image.width, height=image.height)
    return mask_shares(np.asarray(mask), (height, width))


def detector_of(store: Store, engine: "Engine", version: PromptVersion) -> "Detector":
    """What a version is. Raises PromptError where it belongs to another backbone."""
    return engine.detector(version.sha256, partial(store.blobs.get, version.blob_key))


def root_of(session: "Session", version: PromptVersion) -> PromptVersion:
    """The shipped or imported version that a version descends from: where its runs start. Raises PromptError."""
    seen = {version.id}
    while version.origin == "tuned":
        if version.parent_id is None or version.parent_id in seen:
            raise PromptError(f"Version {version.number} names no version that it was learnt from.")
        seen.add(version.parent_id)
        version = get_version(session, version.parent_id)
    return version
