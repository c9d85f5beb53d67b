"""One image scored now by the version in use: within its region of interest, and with what verdicts need."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from db.projects.interest import interest_key, interest_keys
from db.store import Store
from db.tables.core import PromptVersion
from db.training.prompt_versions import active_version
from engine.detector.interest import within
from engine.images.interest import Interest
from workers.errors import NotReady
from workers.images.intake import Checked
from workers.images.seen import detector_of
from workers.scoring import engine_host
from workers.scoring.engine_host import get_engine
from workers.scoring.interest import interest_by
from workers.scoring.regions import region_columns, rule_of
from workers.scoring.standing_out import standing_now
from workers.scoring.version_scorer import made_by

if TYPE_CHECKING:
    from engine.detector.detector import Scored
    from engine.features.image_features import ImageFeatures
    from engine.serving.engine import Engine


@dataclass(frozen=True)
class Judged:
    """An image that was scored: by what, and what came of it.

    Attributes:
        engine: by which…
        version: …and by which version.
        features: of the whole image.
        scored: within its region of interest.
        interest_blob_key: the key of the region's mask; None: there is none.
        interest: the region, where the image has its proportions; None: all of it counts.
        stands_out: among the project's images, where nothing else tells them apart.
        regions: see `workers.scoring.regions.region_columns`.
        made: what is kept with a prediction of how it was made.
    """

    engine: "Engine"
    version: PromptVersion
    features: "ImageFeatures"
    scored: "Scored"
    interest_blob_key: str | None
    interest: Interest | None
    stands_out: bool | None
    regions: dict[str, Any]
    made: dict[str, Any]


def judge(store: Store, project_id: int, checked: Checked, station: str | None) -> Judged:
    """Score it with the active version, from features that were kept or encoded now.

    Raises:
        NotReady: the model still loads, or the project has no version in use yet.
        BackboneError, EngineTrouble, PromptError: see `workers.scoring.scorer.score_images`.
    """
    engine_host.trouble().require_calm()
    engine, version = _ready(store, project_id)
    detector = detector_of(store, engine, version)
    key = checked.seen_key
    began = time.perf_counter()
    features = engine.cache.get(key) if engine.cache else None
    from_cache = features is not None
    picture = None if from_cache else checked.picture()
    try:
        if features is None:
            [features] = engine.encode([picture], surface=True)  # type: ignore[list-item]
        [whole] = engine.score([features], detector)
    except Exception as error:  # whatever torch raises
        raise engine_host.trouble().of_machine(error) from error
    engine_host.trouble().passed()
    interest_blob_key, interest = _interest(store, project_id, checked, station)
    scored = within(whole, interest)
    seconds = time.perf_counter() - began
    standing = standing_now(store, version)
    made = {**made_by(engine), "seconds": seconds, "from_cache": from_cache}
    stands_out = None if standing is None else standing.stands_out(features, scored)
    size = checked.height, checked.width
    regions = region_columns(rule_of(store, project_id), scored.anomaly_map, *size, interest)
    return Judged(engine, version, features, scored, interest_blob_key, interest, stands_out, regions, made)


def _interest(
    store: Store, project_id: int, checked: Checked, station: str | None
) -> tuple[str | None, Interest | None]:
    """The key of the mask by which the image counts, and the mask where it has the image's proportions."""
    with store.session(read_only=True) as session:
        key = interest_key(interest_keys(session, project_id), station)
    return key, interest_by(store, key, checked.height, checked.width)


def _ready(store: Store, project_id: int) -> tuple["Engine", PromptVersion]:
    """The engine, and the version that is in use; nobody waits here until a model is loaded."""
    if engine_host.engine_status()["state"] in ("not loaded", "loading"):
        engine_host.start_loading()
        raise NotReady("The model still loads. Try again in a moment.")
    engine, version = get_engine(), _version_in_use(store, project_id)
    if version.backbone_fingerprint != engine.info.fingerprint:
        engine_host.look_again()  # another backbone came into use just now, and the versions with it
        engine, version = get_engine(), _version_in_use(store, project_id)
    return engine, version


def _version_in_use(store: Store, project_id: int) -> PromptVersion:
    with store.session(read_only=True) as session:
        version = active_version(session, project_id)
    if version is None:
        raise NotReady("The project has no version in use yet. Try again in a moment.")
    return version
