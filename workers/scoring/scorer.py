"""Scoring images with their project's active prompts: features from the cache or encoded, prediction and map kept.

Workers claim what they score (`workers/scoring/claims.py`): however many there are, no image is scored by two.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from db.images.claims import unclaimed_images
from db.store import Store
from db.tables.core import Image, PromptVersion
from db.training.prompt_versions import active_version
from settings import get_settings
from workers.images.seen import detector_of
from workers.scoring import engine_host
from workers.scoring.claims import claimed
from workers.scoring.engine_host import get_engine
from workers.scoring.standing_out import judge_by_standing
from workers.scoring.version_scorer import VersionScorer

if TYPE_CHECKING:
    pass


# Images that go through the vision tower together.
_BATCH = 8
# Pixels that are decoded for a batch, at most, unless one image alone has more: each takes 4 bytes, and then some.
_BATCH_PIXELS = 50_000_000
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
        scorer = VersionScorer(store, engine, version, detector_of(store, engine, version))
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
