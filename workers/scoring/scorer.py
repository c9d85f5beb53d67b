"""Scoring images with their project's active prompts: features from the cache or encoded, prediction and map kept.

Workers claim what they score (`workers/scoring/claims.py`): however many there are, no image is scored by two.
"""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import PIL.Image
from sqlalchemy import select

from db.blobs import blob_key
from db.errors import BlobMissing
from db.images.claims import end_claims, unclaimed_images
from db.images.images import get_image
from db.images.prediction_batches import NewPrediction, save_predictions
from db.store import Store
from db.tables.core import Image, PromptVersion
from db.training.prompt_versions import active_version
from engine.detector.maps import map_to_npy, map_uncertainty
from settings import get_settings
from workers.errors import ImageError, NotFound
from workers.images.novelty import corrected_images
from workers.images.seen import detector_of, picture_of
from workers.scoring import engine_host
from workers.scoring.claims import claimed
from workers.scoring.engine_host import get_engine
from workers.scoring.standing_out import judge_by_standing, standing_now

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

    from engine.detector.detector import Detector, Scored
    from engine.features.image_features import ImageFeatures
    from engine.serving.engine import Engine

logger = logging.getLogger(__name__)

# Images that go through the vision tower together.
_BATCH = 8
# Pixels that are decoded for a batch, at most, unless one image alone has more: each takes 4 bytes, and then some.
_BATCH_PIXELS = 50_000_000
# Images with cached features that are scored together, and kept in one transaction.
_CACHED_BATCH = 32
# Maps that are written at once: each waits for the disk, and together they wait about as long as one.
_WRITERS = 8
# How far back the unscored images are searched for those whose features are cached.
_WINDOW = 1000
# Where several workers score: a worker takes this part of what waits, and as many at least.
_SHARES, _FEWEST = 6, 2
# How often a worker looks anew where others took all that it saw.
_LOOKS = 5


def score_unscored(
    store: Store,
    project_id: int,
    limit: int,
    *,
    first: Sequence[int] = (),
    tell_of_more: Callable[[], None] | None = None,
) -> int:
    """Score up to `limit` images that the active prompts have not scored: cached features first, then newest first.

    Args:
        store: where they are.
        project_id: of which project.
        limit: the most that are taken.
        first: images, of any project, that come before all others where they wait for a score.
        tell_of_more: called before the scoring where more images wait than are taken.

    Returns:
        How many images it dealt with, scored or failed; 0: there was none, or others are at the last of them.

    Raises:
        BackboneError, PromptError: see `score_images`.
    """
    for _ in range(_LOOKS):
        found = _waiting(store, project_id, limit)
        waiting = list(dict.fromkeys([*first, *found]))
        if not waiting:
            return 0
        engine_host.trouble().require_calm()
        with claimed(store, waiting, _share(len(waiting), limit)) as mine:
            if mine:
                if tell_of_more is not None and len(waiting) > len(mine):
                    tell_of_more()
                return score_images(store, mine)
        if not found:
            return 0
    return 0


def score_requested(store: Store, image_ids: Sequence[int]) -> int:
    """Score those of these images that wait for a score and that nobody scores now; returns and raises as above."""
    engine_host.trouble().require_calm()
    with claimed(store, image_ids, len(image_ids)) as mine:
        return score_images(store, mine) if mine else 0


def _waiting(store: Store, project_id: int, limit: int) -> list[int]:
    """What may be claimed, in the order in which it should be: more than a worker takes, as others take some too."""
    cache = get_engine().cache
    images: list[Image] = []
    for window in (4 * limit, _WINDOW):  # mostly the newest are all cached, or none is
        with store.session(read_only=True) as session:
            resting = engine_host.trouble().resting()
            found = unclaimed_images(session, project_id, window + len(resting))
            images = [image for image in found if image.id not in resting]
        if cache is None or len(images) < window or all(cache.has(image.seen_key) for image in images):
            break
    if cache is not None:
        images.sort(key=lambda image: not cache.has(image.seen_key))  # stable: newest first among equals
    return [image.id for image in images]


def _share(waiting: int, limit: int) -> int:
    """How many of those that wait one worker takes at once: fewer towards the end, so that all end together."""
    if get_settings().embedded_broker:  # one process scores
        return limit
    return min(limit, max(_FEWEST, math.ceil(waiting / _SHARES)))


def score_images(store: Store, image_ids: Sequence[int]) -> int:
    """Score these images with the active versions of their projects, whether or not they have been before.

    Doing it twice, or in two processes at once, gives one prediction. What is wrong with an image is kept as its
    `scoring_error`; one deleted in the meantime is passed over.

    Returns:
        How many images it dealt with, scored or failed.

    Raises:
        BackboneError: there is no engine.
        EngineTrouble: the machine fails; what was not scored stays unscored, and its turn comes again.
        PromptError: a project's active prompts belong to another backbone; its images stay unscored.
    """
    engine_host.trouble().require_calm()
    engine, groups = get_engine(), _by_active_version(store, image_ids)
    if any(version.backbone_fingerprint != engine.info.fingerprint for version, _ in groups):
        engine_host.look_again()  # another backbone came into use just now, and the versions with it
        engine, groups = get_engine(), _by_active_version(store, image_ids)
    done = 0
    for version, images in groups:
        scorer = _Scorer(store, engine, version, detector_of(store, engine, version))
        uncached = scorer.score_cached(images)
        for batch in _batches(uncached):
            scorer.score_batch(batch)
        judge_by_standing(store, engine, version, scorer.detector)
        done += len(images)
    return done


def _batches(images: Sequence[Image]) -> Iterator[list[Image]]:
    """In their order, each of at most _BATCH images and _BATCH_PIXELS, and of one at least."""
    batch: list[Image] = []
    for image in images:
        pixels = sum(one.width * one.height for one in (*batch, image))
        if batch and (len(batch) == _BATCH or pixels > _BATCH_PIXELS):
            yield batch
            batch = []
        batch.append(image)
    if batch:
        yield batch


def _by_active_version(store: Store, image_ids: Sequence[int]) -> list[tuple[PromptVersion, list[Image]]]:
    versions: dict[int, PromptVersion | None] = {}
    groups: dict[int, tuple[PromptVersion, list[Image]]] = {}
    with store.session(read_only=True) as session:
        found = {image.id: image for image in session.scalars(select(Image).where(Image.id.in_(image_ids)))}
        for image in (found[image_id] for image_id in image_ids if image_id in found):
            if image.project_id not in versions:
                versions[image.project_id] = active_version(session, image.project_id)
            version = versions[image.project_id]
            if version is not None:
                groups.setdefault(version.id, (version, []))[1].append(image)
    return list(groups.values())


def made_by(engine: "Engine") -> dict[str, Any]:
    """What is kept with a prediction of the engine that made it."""
    return {
        "backbone": engine.info.name,
        "image_size": engine.image_size,
        "layers": list(engine.info.layers),
        "device": str(engine.backbone.device),
        "precision": engine.backbone.precision,
    }


class _Scorer:
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
        with ThreadPoolExecutor(_WRITERS) as writers:
            maps = list(writers.map(self._put_map, scored))
        keys = [blob_key(data) for data in maps]
        standing = standing_now(self.store, self.version)
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
