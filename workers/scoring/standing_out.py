"""The first verdicts of a project: which images stand out among the others, before anybody has said anything of one.

Until a run's version is in service, or a person has set a threshold, a score has nothing to be held against: images
that stand out are called anomalous, and the rest is not judged yet. They are compared anew as the project grows.
"""

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from db.images.standing import awaiting_standing, count_scored, judge_standing, newest_scored
from db.images.verdicts import is_first_visit
from db.projects.interest import interest_keys
from db.store import Store
from db.tables.core import Image, PromptVersion
from workers.operations.first_imports import heavy_imports
from workers.scoring.interest import Regions

if TYPE_CHECKING:
    from engine.detector.detector import Detector, Scored
    from engine.detector.standing_out import Standing
    from engine.features.image_features import ImageFeatures
    from engine.serving.engine import Engine

# Images that are compared with each other, the newest; how much more of them there must be to compare anew.
_COMPARED, _GROWTH = 200, 1.5
# Images of a project that wait for a verdict and get it together.
_TOGETHER = 64
# Versions whose comparison is kept.
_KEPT = 8
_lock = threading.Lock()
# Database, version and regions of interest → how many images there were, and what is usual among them.
_Key = tuple[str, int, frozenset[tuple[str, str]]]
_known: OrderedDict[_Key, tuple[int, "Standing"]] = OrderedDict()


def judge_by_standing(store: Store, engine: "Engine", version: PromptVersion, detector: "Detector") -> None:
    """Say of a project's images whether they stand out, as long as nothing else tells them apart."""
    with store.session(read_only=True) as session:
        if engine.cache is None or not is_first_visit(session, version.id):
            return
        count = count_scored(session, version.id, most=2 * _COMPARED)
        key = _key(session, store, version)
    with heavy_imports:
        from engine.detector.standing_out import FEWEST
    if count < FEWEST:
        return
    with _lock:
        before, standing = _known.get(key, (0, None))
        if standing is None or count >= min(_GROWTH * before, 2 * _COMPARED) > before:
            standing = _compare_anew(store, engine, version, detector)
            if standing is None:
                return
            _known[key] = (count, standing)
            _known.move_to_end(key)
            while len(_known) > _KEPT:
                _known.popitem(last=False)
            return
        with store.session(read_only=True) as session:
            waiting = awaiting_standing(session, version.id, _TOGETHER)
        _judge(store, engine, version, detector, standing, _features(engine, waiting))


def standing_now(store: Store, version: PromptVersion) -> "Standing | None":
    """What is usual so far, as this process knows it; None: nothing yet, or something else tells images apart."""
    with store.session(read_only=True) as session:
        _, standing = _known.get(_key(session, store, version), (0, None))
        return standing if standing is not None and is_first_visit(session, version.id) else None


def _key(session: Session, store: Store, version: PromptVersion) -> _Key:
    regions = interest_keys(session, version.project_id)
    return str(store.database.engine.url), version.id, frozenset(regions.items())


def _compare_anew(store: Store, engine: "Engine", version: PromptVersion, detector: "Detector") -> "Standing | None":
    """Find what is usual among the newest, and judge them by it; None where too few are in the cache."""
    from engine.detector.standing_out import FEWEST, find_standing

    with store.session(read_only=True) as session:
        known = _features(engine, newest_scored(session, version.id, _COMPARED))
    if len(known) < FEWEST:
        return None
    images = [features for _, features in known]
    standing = find_standing(images, _scored(store, engine, version, detector, known))
    _judge(store, engine, version, detector, standing, known)
    return standing


def _judge(
    store: Store,
    engine: "Engine",
    version: PromptVersion,
    detector: "Detector",
    standing: "Standing",
    known: "list[tuple[Image, ImageFeatures]]",
) -> None:
    scored = _scored(store, engine, version, detector, known)
    said = {image.id: standing.stands_out(features, one) for (image, features), one in zip(known, scored, strict=True)}
    with store.session() as session:
        judge_standing(session, version.id, said)


def _scored(
    store: Store,
    engine: "Engine",
    version: PromptVersion,
    detector: "Detector",
    known: "list[tuple[Image, ImageFeatures]]",
) -> "list[Scored]":
    """What the version says of images, where only their regions of interest count."""
    regions = Regions(store, version.project_id)
    scored = engine.score([features for _, features in known], detector)
    return [regions.within(image, one) for (image, _), one in zip(known, scored, strict=True)]


def _features(engine: "Engine", images: list[Image]) -> "list[tuple[Image, ImageFeatures]]":
    """Those whose features are cached, with these."""
    found = []
    for image in images:
        features = engine.cache.get(image.seen_key) if engine.cache else None
        if features is not None:
            found.append((image, features))
    return found
