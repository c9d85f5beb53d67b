"""What was acknowledged, written down by those who were told so, and compared with what is there."""

import hashlib
import threading
import time
from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select

from db.errors import BlobMissing
from db.store import Store
from db.tables.core import Annotation, Image


@dataclass(frozen=True)
class Count:
    """Uploads and corrections."""

    uploads: int
    corrections: int


class Ledger:
    """Acknowledged uploads (image id → sha256) and corrections (image id, revision → anomalous pixels)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uploads: dict[int, str] = {}
        self._corrections: dict[tuple[int, int], int] = {}
        self.refusals: Counter[str] = Counter()
        self._last_at = time.monotonic()

    def uploaded(self, image_id: int, data: bytes) -> None:
        """The server said that it has these bytes as this image."""
        with self._lock:
            self._uploads[image_id] = hashlib.sha256(data).hexdigest()
            self._last_at = time.monotonic()

    def corrected(self, image_id: int, revision: int, area: int) -> None:
        """The server said that it has a mask of so many pixels as this revision."""
        with self._lock:
            self._corrections[image_id, revision] = area
            self._last_at = time.monotonic()

    def refused(self, why: str) -> None:
        """The server said no, or nothing."""
        with self._lock:
            self.refusals[why] += 1

    def worked_since(self, moment: float) -> bool:
        """Whether anything was acknowledged after this time of the monotonic clock."""
        with self._lock:
            return self._last_at > moment

    def count(self) -> Count:
        """How much was acknowledged so far."""
        with self._lock:
            return Count(len(self._uploads), len(self._corrections))

    def compare(self, store: Store) -> tuple[Count, Count]:
        """How much was acknowledged so far, and how much of that is in the database, with all of its bytes."""
        with self._lock:
            uploads, corrections = dict(self._uploads), dict(self._corrections)
        with store.session(read_only=True) as session:
            images = {row.id: row for row in session.scalars(select(Image))}
            rows = session.scalars(select(Annotation))
            annotations = {(row.image_id, row.revision): row for row in rows}
        there = Count(
            sum(self._has_image(store, images.get(image_id), sha256) for image_id, sha256 in uploads.items()),
            sum(self._has_mask(store, annotations.get(key), area) for key, area in corrections.items()),
        )
        return Count(len(uploads), len(corrections)), there

    def _has_image(self, store: Store, row: Image | None, sha256: str) -> bool:
        return row is not None and row.sha256 == sha256 and _has_bytes(store, row.blob_key, sha256)

    def _has_mask(self, store: Store, row: Annotation | None, area: int) -> bool:
        if row is None or row.area != area or row.mask_blob_key is None:
            return False
        return _has_bytes(store, row.mask_blob_key, row.mask_blob_key.rpartition("/")[2])


def _has_bytes(store: Store, key: str, sha256: str) -> bool:
    try:
        return hashlib.sha256(store.blobs.get(key)).hexdigest() == sha256
    except BlobMissing:
        return False
