"""The regions of interest that images are scored by, and by which their maps are cut where they are shown."""

import io
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image as Picture

from db.projects.interest import interest_key, interest_keys
from db.store import Store
from db.tables.core import Image, Prediction
from db.tables.interest import OldPrediction
from engine.detector.interest import within
from engine.images.interest import Interest, same_proportions
from engine.images.mask_files import encode_mask
from workers.images.pixel_rooms import SHOWING

if TYPE_CHECKING:
    from engine.detector.detector import Scored

# A region counts for images of its proportions; one of others counts as a whole.
Applied = Literal["applied", "other_proportions"]


class Regions:
    """A project's regions as they are now, for images one by one."""

    def __init__(self, store: Store, project_id: int) -> None:
        self._store = store
        with store.session(read_only=True) as session:
            self._keys = interest_keys(session, project_id)

    def key_of(self, image: Image) -> str | None:
        """The key of the mask for an image, whether it has its proportions or not; None: there is none."""
        return interest_key(self._keys, image.station)

    def of(self, image: Image) -> Interest | None:
        """Which pixels of an image count; None: all. Raises BlobMissing, BlobsUnavailable."""
        return interest_by(self._store, self.key_of(image), image.height, image.width)

    def within(self, image: Image, scored: "Scored") -> "Scored":
        """What was said of an image, where only a region of it counts; raises as above."""
        return within(scored, self.of(image))


def interest_of_map(store: Store, prediction: Prediction | OldPrediction, image: Image) -> Interest | None:
    """Which pixels of an image counted when its map was made; None: all."""
    return interest_by(store, prediction.interest_blob_key, image.height, image.width)


def applied(key: str | None, interest: Interest | None) -> Applied | None:
    """Whether a region was applied; None: there is none."""
    if key is None:
        return None
    return "other_proportions" if interest is None else "applied"


def applied_to(image: Image, prediction: Prediction, sizes: Mapping[str, tuple[int, int]]) -> Applied | None:
    """The same of a prediction; `sizes`: `db.projects.interest.mask_sizes` of its project."""
    key = prediction.interest_blob_key
    if key is None or key not in sizes:
        return None
    return "applied" if same_proportions(sizes[key], (image.height, image.width)) else "other_proportions"


def encode_counting(image: Image, interest: Interest) -> bytes:
    """Which pixels of an image count, as an 8-bit PNG of its size, 255 where one does."""
    with SHOWING.take(image.width * image.height):
        return encode_mask(interest.counting(image.height, image.width))


def interest_by(store: Store, key: str | None, height: int, width: int) -> Interest | None:
    """The region of this key, where an image of this size has its proportions. Raises BlobMissing, BlobsUnavailable."""
    found = None if key is None else _read(store, key)
    return found if found is not None and found.fits(height, width) else None


@lru_cache(maxsize=4)  # a byte a pixel; a mask of a key never changes
def _read(store: Store, key: str) -> Interest:
    with Picture.open(io.BytesIO(store.blobs.get(key))) as mask:
        return Interest(np.asarray(mask.convert("L")) > 127)
