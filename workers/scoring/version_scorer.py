"""One version over many images: features from the cache or encoded, scores and maps made of them and kept."""

import contextlib
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import PIL.Image

from db.blobs import blob_key
from db.errors import BlobMissing
from db.images.claims import end_claims
from db.images.images import get_image
from db.images.prediction_batches import NewPrediction, save_predictions
from db.store import Store
from db.tables.core import Image, PromptVersion
from engine.detector.maps import map_to_npy, map_uncertainty
from workers.errors import ImageError, NotFound
from workers.images.novelty import corrected_images
from workers.images.seen import picture_of
from workers.scoring import engine_host
from workers.scoring.interest import Regions
from workers.scoring.regions import region_columns, rule_of
from workers.scoring.standing_out import standing_now

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from engine.detector.detector import Detector, Scored
    from engine.features.image_features import ImageFeatures
    from engine.serving.engine import Engine

logger = logging.getLogger(__name__)

# Images with cached features that are scored together, and kept in one transaction.
_CACHED_BATCH = 32
# Maps that are written at once: each waits for the disk, and together they wait about as long as one.
_WRITERS = 8


def made_by(engine: "Engine") -> dict[str, Any]:
    """What is kept with a prediction of the engine that made it."""
    return {
        "backbone": engine.info.name,
        "image_size": engine.image_size,
        "layers": list(engine.info.layers),
        "device": str(engine.backbone.device),
        "precision": engine.backbone.precision,
    }


class VersionScorer:
    """One prompt version over many images."""

    def __init__(self, store: Store, engine: "Engine", version: PromptVersion, detector: "Detector") -> None:
        self.store, self.engine, self.version, self.detector = store, engine, version, detector
        self.trouble = engine_host.trouble()
        self.corrected = corrected_images(store, version.project_id)
        self.engine_settings = made_by(engine)

    def score_cached(self, images: Sequence[Image]) -> list[Image]:
        """Score the images whose features are cached; returns the others."""
        others: list[Image] = []
        for start in range(0, len(images), _CACHED_BATCH):
            began, cached = time.perf_counter(), []
            for image in images[start : start + _CACHED_BATCH]:
                features = self.engine.cache.get(image.seen_key) if self.engine.cache else None
                if features is None:
                    others.append(image)
                else:
                    cached.append((image, features))
            if cached:
                self._score(cached, began, from_cache=True)
        return others

    def score_batch(self, images: list[Image]) -> None:
        """Encode and score; where a batch fails as a whole, its images go one by one, to find the one."""
        began = time.perf_counter()
        decoded = [(image, picture) for image in images if (picture := self._decode(image)) is not None]
        if not decoded:
            return
        try:
            encoded = self.engine.encode([picture for _, picture in decoded], surface=True)
        except Exception as error:
            if len(decoded) == 1:
                self._judge(decoded[0][0], error)
            else:
                for image, _ in decoded:
                    self.score_batch([image])
            return
        for (image, _), features in zip(decoded, encoded, strict=True):
            if self.engine.cache:
                self.engine.cache.put(image.seen_key, features)
        together = [(image, features) for (image, _), features in zip(decoded, encoded, strict=True)]
        self._score(together, began, from_cache=False)

    def _decode(self, image: Image) -> "Picture | None":
        try:
            return picture_of(self.store, image)
        except (BlobMissing, ImageError) as error:
            self._fail(image, error)
            return None

    def _score(self, encoded: Sequence[tuple[Image, "ImageFeatures"]], began: float, *, from_cache: bool) -> None:
        """Score and keep; where several fail together, they go one by one, to find the one.

        `began`: when the first of them was read, on the clock of `time.perf_counter`.
        """
        try:
            scored = self.engine.score([features for _, features in encoded], self.detector)
        except Exception as error:  # whatever torch raises
            if len(encoded) == 1 and from_cache:
                self.score_batch([encoded[0][0]])  # what was kept of it may be damaged: it is looked at anew
            elif len(encoded) == 1:
                self._judge(encoded[0][0], error)
            else:
                for one in encoded:
                    self._score([one], began, from_cache=from_cache)
            return
        self.trouble.passed()
        seconds = (time.perf_counter() - began) / len(encoded)
        self._keep(encoded, scored, {**self.engine_settings, "seconds": seconds, "from_cache": from_cache})

    def _keep(
        self, encoded: Sequence[tuple[Image, "ImageFeatures"]], scored: Sequence["Scored"], made: dict[str, Any]
    ) -> None:
        """Maps on disk first, all at once; then the predictions, in one transaction. `made`: how they were made."""
        regions = Regions(self.store, self.version.project_id)
        scored = [regions.within(image, one) for (image, _), one in zip(encoded, scored, strict=True)]
        with ThreadPoolExecutor(_WRITERS) as writers:
            maps = list(writers.map(self._put_map, scored))
        keys = [blob_key(data) for data in maps]
        standing, rule = standing_now(self.store, self.version), rule_of(self.store, self.version.project_id)
        given = [
            NewPrediction(
                image_id=image.id,
                score=one.score,
                map_blob_key=key,
                map_max=float(one.anomaly_map.max()),
                map_uncertainty=map_uncertainty(one.anomaly_map),
                novelty=self.corrected.novelty(features.global_feature.float().numpy()),
                engine_settings=made,
                stands_out=None if standing is None else standing.stands_out(features, one),
                interest_blob_key=regions.key_of(image),
                **region_columns(rule, one.anomaly_map, image.height, image.width, regions.of(image)),
            )
            for (image, features), one, key in zip(encoded, scored, keys, strict=True)
        ]
        with self.store.clearing_up(keys) as left, self.store.session() as session:
            for data in maps:
                self.store.keep_until_named(session, data)
            save_predictions(session, self.version.id, given, left)
            end_claims(session, [one.image_id for one in given])
        for one in given:
            self.trouble.forget(one.image_id)

    def _put_map(self, one: "Scored") -> bytes:
        data = map_to_npy(one.anomaly_map)
        self.store.blobs.put(data)
        return data

    def _judge(self, image: Image, error: Exception) -> None:
        """An image failed by itself: the machine's trouble is raised, the image's own is kept when it comes again."""
        if self.trouble.is_images_own(image.id, error, self._score_another):
            self._fail(image, error)
        else:
            logger.warning("Image %d could not be scored (%s); it is tried again.", image.id, error)

    def _score_another(self) -> None:
        size = self.engine.image_size
        grey = self.engine.encode([PIL.Image.new("RGB", (size, size), "grey")], surface=True)
        self.engine.score(grey, self.detector)

    def _fail(self, image: Image, error: Exception) -> None:
        logger.error("Image %d (%s) could not be scored.", image.id, image.file_name, exc_info=error)
        reason = str(error) if isinstance(error, BlobMissing | ImageError) else f"{type(error).__name__}: {error}"
        with contextlib.suppress(NotFound), self.store.session() as session:
            get_image(session, image.id).scoring_error = reason
