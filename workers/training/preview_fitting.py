"""The detector behind a project's previews: fitted when its corrections or its active version change, and kept."""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from db.images.newest_annotations import count_to_learn_from, last_annotations
from db.store import Store
from db.tables.core import Annotation, Image
from db.training.prompt_versions import active_version
from engine.detector.detector import Detector, Scored
from engine.learning.corrections import Correction
from engine.learning.previewing import preview_detector
from engine.serving.engine import Engine
from workers.images.seen import detector_of, image_features
from workers.scoring.engine_host import get_engine
from workers.scoring.interest import Regions
from workers.training.corrections import read_corrections, root_of

# Corrections that are read, the newest; images without cached features that are encoded for it, or shown.
_CORRECTIONS, _ENCODED = 40, 8
# Projects whose detector is kept.
_KEPT = 4


@dataclass(frozen=True)
class Fitted:
    """What was fitted.

    Attributes:
        annotation_ids: what could be learnt from then, the newest first…
        version_id: …and the active version: another of either makes another detector.
        detector: None where there was nothing to learn.
        corrections: how many the project has.
    """

    annotation_ids: tuple[int, ...]
    version_id: int
    detector: Detector | None
    corrections: int


# (Database, project) → what was fitted last.
_fitted: OrderedDict[tuple[str, int], Fitted] = OrderedDict()


def fitted_for(store: Store, project_id: int) -> Fitted | None:
    """The detector for the corrections and the version of now; None where there are none of either."""
    with store.session(read_only=True) as session:
        annotations = last_annotations(session, project_id, _CORRECTIONS)
        count = count_to_learn_from(session, project_id)
        version = active_version(session, project_id)
        root = None if version is None else root_of(session, version)
    if not annotations or version is None or root is None:
        return None
    key = (str(store.database.engine.url), project_id)
    known, ids = _fitted.get(key), tuple(one.id for one in annotations)
    if known is not None and (known.annotation_ids, known.version_id) == (ids, version.id):
        return known
    engine = get_engine()
    corrections = _corrections(store, engine, annotations)
    detector = preview_detector(engine, detector_of(store, engine, root), corrections)
    _fitted[key] = Fitted(ids, version.id, detector, count)
    _fitted.move_to_end(key)
    while len(_fitted) > _KEPT:
        _fitted.popitem(last=False)
    return _fitted[key]


def scored_by(store: Store, detector: Detector, images: Sequence[Image]) -> list[tuple[Image, Scored]]:
    """Those of the images whose features are cached, and the first few others, as the detector sees them."""
    engine = get_engine()
    keys = _affordable(engine, [image.seen_key for image in images])
    shown = [image for image in images if image.seen_key in keys]
    scored = engine.score([image_features(store, engine, image)[0] for image in shown], detector)
    regions = {one: Regions(store, one) for one in {image.project_id for image in shown}}
    return [(image, regions[image.project_id].within(image, one)) for image, one in zip(shown, scored, strict=True)]


def _corrections(store: Store, engine: Engine, annotations: Sequence[Annotation]) -> list[Correction]:
    """Those whose features are cached, and the first few others."""
    keys = _affordable(engine, [one.image.seen_key for one in annotations])
    chosen = [one for one in annotations if one.image.seen_key in keys]
    return [correction for correction, _ in read_corrections(store, engine, chosen)]


def _affordable(engine: Engine, keys: Sequence[str]) -> Collection[str]:
    """Of images by key those with cached features, and the first few others: they must be encoded."""
    cached = {key for key in keys if engine.cache is not None and engine.cache.has(key)}
    return cached | set([key for key in keys if key not in cached][:_ENCODED])
