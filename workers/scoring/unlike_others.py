"""The map "unlike the others" of an image: how rare it is among its project's newest images, from cached features.

Offered while the version in use has learnt nothing besides prompts: afterwards rarity is one of the refiner's inputs.
"""

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from db.images.standing import count_scored, newest_scored
from db.store import Store
from db.tables.core import Image, PromptVersion
from db.training.prompt_versions import active_version, parts_of
from engine.detector.maps import FloatMap
from workers.errors import TooFewToCompare
from workers.operations.first_imports import heavy_imports
from workers.scoring.engine_host import get_engine

if TYPE_CHECKING:
    from engine.detector.unlike_others import Unlike

# As many as `engine.detector.unlike_others` needs; the page asks without loading torch.
FEWEST = 8
_NEWEST = 12
# Comparisons that are kept.
_KEPT = 8
_lock = threading.Lock()
# What names the compared images → what is usual among them.
_known: OrderedDict[str, "Unlike"] = OrderedDict()


@dataclass(frozen=True)
class Compared:
    """The images that an image is held against, the newest of its project, and what names them."""

    images: list[Image]
    name: str


def is_offered(session: Session, version: PromptVersion | None) -> bool:
    """Whether images of the version's project have this map: it has scored enough, and learnt nothing besides."""
    if version is None or parts_of(version) != ["prompts"]:
        return False
    return count_scored(session, version.id, most=FEWEST) == FEWEST


def compared_with(store: Store, project_id: int) -> Compared:
    """What images of a project are held against. Raises TooFewToCompare."""
    with store.session(read_only=True) as session:
        version = active_version(session, project_id)
        if version is None or not is_offered(session, version):
            raise TooFewToCompare(FEWEST)
        images = newest_scored(session, version.id, _NEWEST)
    keys = "\n".join([version.backbone_fingerprint, *(image.seen_key for image in images)])
    return Compared(images, hashlib.sha256(keys.encode()).hexdigest())


def unlike_map(store: Store, image: Image, compared: Compared) -> FloatMap:
    """How unlike those an image is, (h/8, w/8) float32, 0–1. Raises BackboneError, TooFewToCompare."""
    engine = get_engine()
    with heavy_imports:
        from engine.detector.unlike_others import find_unlike
        from workers.images.seen import image_features
    with _lock:
        unlike = _known.get(compared.name)
    if unlike is None:
        cached = [engine.cache.get(one.seen_key) if engine.cache else None for one in compared.images]
        features = [one for one in cached if one is not None]
        if len(features) < FEWEST:
            raise TooFewToCompare(FEWEST)
        unlike = find_unlike(features)
        with _lock:
            _known[compared.name] = unlike
            while len(_known) > _KEPT:
                _known.popitem(last=False)
    features_of_image, _ = image_features(store, engine, image)
    return unlike.map_of(features_of_image)
