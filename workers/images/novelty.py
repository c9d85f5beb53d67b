"""How unlike the corrected images another one is: what the model has not been told about yet.

With d the cosine distance of an image's global feature to the nearest corrected image, and d₀ the median of that
distance among the corrected images themselves, novelty is d / (d + d₀): 0 for one that is like a corrected image, ½
for one that is as far from them as they are from each other, towards 1 beyond. So it means the same for every backbone
and product. With fewer than two corrected images there is nothing to compare with, and it is 0.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from db.images.annotations import newest_annotated
from db.images.pages import list_images
from db.images.review_queue import set_novelty
from db.projects.projects import get_project
from db.store import Store
from db.training.prompt_versions import active_version
from workers.scoring.engine_host import get_engine

if TYPE_CHECKING:
    from engine.features.image_features import FeatureCache

Feature = npt.NDArray[np.float32]
# Corrected images that are compared with, the newest ones, and images of the queue that are looked at again.
_CORRECTED = 500
_QUEUE = 500


class CorrectedImages:
    """The global features of a project's corrected images.

    Args:
        features: (C, D), unit length.
    """

    def __init__(self, features: Feature) -> None:
        self._features = features
        self._usual = _usual_distance(features)

    def novelty(self, feature: Feature) -> float:
        """Of an image with this global feature (D,), unit length; 0–1."""
        if self._usual is None:
            return 0.0
        distance = max(0.0, 1.0 - float((self._features @ feature).max()))
        return distance / (distance + self._usual)


def corrected_images(store: Store, project_id: int) -> CorrectedImages:
    """The corrected images of a project whose features are cached. Raises BackboneError where there is no engine."""
    with store.session(read_only=True) as session:
        keys = newest_annotated(session, project_id, _CORRECTED)
    found = [feature for key in keys if (feature := cached_feature(key)) is not None]
    return CorrectedImages(np.stack(found) if found else np.empty((0, 0), np.float32))


def cached_feature(key: str) -> Feature | None:
    """The global feature (D,) of an image, where it is cached."""
    cache = get_engine().cache
    try:
        return None if cache is None else _read(cache, key)
    except LookupError:
        return None


def refresh_queue(store: Store, project_id: int) -> None:
    """After a correction: what comes next in the project's queue may not be new any more."""
    with store.session(read_only=True) as session:
        version = active_version(session, project_id)
        waiting = list_images(session, project_id, status="to_review", order="uncertain", limit=_QUEUE).items
    corrected = corrected_images(store, project_id)
    novelties = {
        row.image.id: corrected.novelty(feature)
        for row in waiting
        if (feature := cached_feature(row.image.seen_key)) is not None
    }
    if version is not None and novelties:
        with store.session() as session:
            threshold = get_project(session, project_id).settings["threshold"]
            set_novelty(session, version.id, novelties, threshold)


@lru_cache(maxsize=20_000)  # a feature is some hundred bytes, and does not change
def _read(cache: "FeatureCache", key: str) -> Feature:
    feature = cache.global_feature(key)
    if feature is None:
        raise LookupError(key)  # which lru_cache does not keep: it may be there the next time
    return feature.float().numpy()


def _usual_distance(features: Feature) -> float | None:
    if len(features) < 2:
        return None
    similarity = features @ features.T
    np.fill_diagonal(similarity, -1.0)
    return max(float(np.median(1.0 - similarity.max(axis=1))), 1e-6)
