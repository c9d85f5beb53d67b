"""Corrections as the engine learns from them: rows and blobs → features, and shares of area that are anomalous."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from db.images.pages import list_images
from db.store import Store
from db.tables.core import Annotation, PromptVersion
from db.training.prompt_versions import get_version
from engine.detector.others import IMAGES
from engine.features.image_features import surface_of
from engine.images.mask_files import decode_mask
from engine.images.preprocessing import mask_shares
from engine.learning.corrections import Correction
from workers.errors import PromptError
from workers.images.seen import image_features
from workers.scoring.interest import Regions

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from engine.features.image_features import ImageFeatures
    from engine.serving.engine import Engine


def read_corrections(
    store: Store, engine: "Engine", annotations: Sequence[Annotation]
) -> Iterator[tuple[Correction, bool]]:
    """Each correction, and whether its image had to be encoded. Raises BlobMissing, ImageError."""
    regions = {one: Regions(store, one) for one in {annotation.image.project_id for annotation in annotations}}
    for annotation in annotations:
        features, fresh = image_features(store, engine, annotation.image)
        label = int(annotation.label == "anomalous")
        marked = _marked(store, annotation, features)
        interest = regions[annotation.image.project_id].of(annotation.image)
        size = surface_of(features).pixels.shape[:2]
        counting = None if interest is None else torch.from_numpy(interest.shares(*size))
        name = annotation.image.file_name
        yield Correction(annotation.image.sha256, features, label, marked, name, counting), fresh


def _marked(store: Store, annotation: Annotation, features: "ImageFeatures") -> torch.Tensor | None:
    """(h, w) of the surface: shares of area; None where an image is called anomalous and nobody said where."""
    height, width = surface_of(features).pixels.shape[:2]
    if annotation.mask_blob_key is None:
        return None if annotation.label == "anomalous" else torch.zeros(height, width)
    image = annotation.image
    mask = decode_mask(store.blobs.get(annotation.mask_blob_key), width=image.width, height=image.height)
    return mask_shares(np.asarray(mask), (height, width))


def unlabelled_features(store: Store, engine: "Engine", project_id: int) -> Iterator["ImageFeatures"]:
    """Cached features of images of a project that nobody has said anything of, the newest first."""
    with store.session(read_only=True) as session:
        images = list_images(session, project_id, status="to_review", order="newest", limit=IMAGES).items
    for row in images:
        found = engine.cache.get(row.image.seen_key) if engine.cache else None
        if found is not None and found.surface is not None:
            yield found


def root_of(session: "Session", version: PromptVersion) -> PromptVersion:
    """The shipped or imported version that a version descends from: where its runs start. Raises PromptError."""
    seen = {version.id}
    while version.origin == "tuned":
        if version.parent_id is None or version.parent_id in seen:
            raise PromptError(f"Version {version.number} names no version that it was learnt from.")
        seen.add(version.parent_id)
        version = get_version(session, version.parent_id)
    return version
