"""One image in, the answer in the same call: verdict, score and regions; kept by the project's rule.

The page's process does it in the embedded mode, and a Celery worker elsewhere (`inspections.py`): the same
function, and the same answer that an upload gets which is scored later.
"""

import base64
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from db.images.claims import end_claims
from db.images.part_facts import PartFacts, facts_of
from db.images.prediction_batches import NewPrediction, save_predictions
from db.images.predictions import prediction_by_version
from db.images.region_facts import judged_by_regions
from db.images.result_events import ANOMALOUS, INSPECTED, result_body, tell_of_result
from db.images.verdicts import criterion, verdict
from db.projects.line_settings import is_kept
from db.projects.projects import get_project
from db.store import Store
from db.tables.core import Prediction, PromptVersion
from db.thresholds.evidence import annotations_state
from db.webhooks.messages import listeners
from engine.detector.interest import full_map
from engine.detector.maps import map_to_npy, map_to_png16, map_uncertainty
from workers.images.intake import Checked, check_upload, keep_upload
from workers.images.novelty import CorrectedImages, corrected_images
from workers.images.pixel_rooms import SHOWING
from workers.images.seen import detector_of
from workers.operations.first_imports import heavy_imports
from workers.scoring.interest import applied
from workers.scoring.judging import Judged, judge
from workers.scoring.standing_out import judge_by_standing
from workers.thresholds.evidence import score_probability

if TYPE_CHECKING:
    from engine.detector.regions import OutlinedRegion

logger = logging.getLogger(__name__)

Verdict = Literal["normal", "anomalous"] | None


@dataclass(frozen=True)
class Wanted:
    """What is asked of an image.

    Attributes:
        project_id: whose image it is.
        file_name: as the caller names it.
        author: who asks.
        facts: what is known of its part.
        px_per_mm: pixels per millimetre; None: the project's, if it has a scale.
        with_map: whether the map comes along.
    """

    project_id: int
    file_name: str
    author: str
    facts: PartFacts
    px_per_mm: float | None = None
    with_map: bool = False


def inspect(store: Store, wanted: Wanted, data: bytes) -> dict[str, Any]:
    """Score an image now, keep it where the project's rule says so, and answer, as JSON has it.

    Raises:
        ImageError: the file can't be used as an image.
        NotFound: there is no such project.
        NotReady: the model still loads, or the project has no version in use yet.
        BackboneError, EngineTrouble, PromptError: see `workers.scoring.scorer.score_images`.
        BlobsUnavailable: it is to be kept, and can't be.
    """
    began = time.perf_counter()
    checked = check_upload(store, wanted.project_id, wanted.file_name, data)
    facts = wanted.facts.or_else(checked.facts)
    judged = judge(store, wanted.project_id, checked, facts.station)
    with store.session(read_only=True) as session:
        settings = get_project(session, wanted.project_id).settings
        probability = score_probability(session, wanted.project_id)
        judged_by = criterion(session, judged.version.id)
    by_regions = judged_by_regions(judged_by.regions, **judged.regions)
    prediction = Prediction(score=judged.scored.score, stands_out=judged.stands_out, **by_regions)
    said = verdict(prediction, judged_by)
    image: dict[str, Any] = {"id": None, "kept": False, "duplicate": False}
    known = {**_plain(facts), "file_name": wanted.file_name, "sha256": checked.sha256}
    if is_kept(settings, checked.sha256, judged.scored.score, said):
        image, said = _keep(store, wanted, checked, judged)
    else:
        _tell(store, wanted.project_id, prediction, judged.version, {**known, "image_id": None})
    scale = wanted.px_per_mm or settings.get("px_per_mm")
    answer = {
        **known,
        **image,
        "width": checked.width,
        "height": checked.height,
        "verdict": said,
        "verdict_rule": judged_by.kind,
        "score": judged.scored.score,
        "probability": probability.of(judged.scored.score) if probability else None,
        "threshold": settings["threshold"],
        "map_threshold": settings["map_threshold"],
        "px_per_mm": scale,
        "region_of_interest": applied(judged.interest_blob_key, judged.interest),
        "regions": _regions(judged, checked, settings["map_threshold"], scale),
        "prompt_version": judged.version.number,
        "map_png": _map_png(judged, checked) if wanted.with_map else None,
    }
    return {**answer, "milliseconds": round(1000 * (time.perf_counter() - began), 1)}


def _keep(store: Store, wanted: Wanted, checked: Checked, judged: Judged) -> tuple[dict[str, Any], Verdict]:
    """Image, score and map in one transaction; returns what is known of the row, and the verdict by it."""
    anomaly_map = judged.scored.anomaly_map
    map_data = map_to_npy(anomaly_map)
    novelty = _corrected(store, wanted.project_id).novelty(judged.features.global_feature.float().numpy())
    keys = [store.blobs.put(checked.data), store.blobs.put(map_data)]
    with store.clearing_up(keys) as left, store.session() as session:
        row, duplicate = keep_upload(
            session, store, wanted.project_id, wanted.file_name, checked, wanted.author, wanted.facts
        )
        given = NewPrediction(
            image_id=row.id,
            score=judged.scored.score,
            map_blob_key=store.keep_until_named(session, map_data),
            map_max=float(anomaly_map.max()),
            map_uncertainty=map_uncertainty(anomaly_map),
            novelty=novelty,
            engine_settings=judged.made,
            stands_out=judged.stands_out,
            interest_blob_key=judged.interest_blob_key,
            **judged.regions,
        )
        save_predictions(session, judged.version.id, [given], left)
        end_claims(session, [row.id])
    if judged.engine.cache and not judged.made["from_cache"]:
        judged.engine.cache.put(checked.seen_key, judged.features)
    said = _verdict_of(store, judged, row.id)
    return {**facts_of(row), "id": row.id, "kept": True, "duplicate": duplicate, "file_name": row.file_name}, said


def _tell(store: Store, project_id: int, prediction: Prediction, version: PromptVersion, facts: dict[str, Any]) -> None:
    """Tell of an image that is not kept."""
    with store.session(read_only=True) as session:
        heard = [event for event in (INSPECTED, ANOMALOUS) if listeners(session, project_id, event)]
    if heard:
        with store.session() as session:
            project = get_project(session, project_id)
            judged_by = criterion(session, version.id)
            tell_of_result(session, project, result_body(project, prediction, judged_by, version.number, facts))


def _verdict_of(store: Store, judged: Judged, image_id: int) -> Verdict:
    """The verdict by the row, after it was compared with the others: at once, or later where that is known already."""
    detector = detector_of(store, judged.engine, judged.version)
    compare = partial(judge_by_standing, store, judged.engine, judged.version, detector)
    if judged.stands_out is None:
        compare()
    else:
        _compare_later(compare)
    with store.session(read_only=True) as session:
        prediction = prediction_by_version(session, image_id, judged.version.id)
        judged_by = criterion(session, judged.version.id)
    return None if prediction is None else verdict(prediction, judged_by)


_comparing = ThreadPoolExecutor(1, thread_name_prefix="comparing")
_compared = threading.Semaphore(1)


def _compare_later(compare: Callable[[], None]) -> None:
    """Beside the next inspections, once at a time: whoever waits for an answer need not wait for it."""

    def compare_now() -> None:
        try:
            compare()
        except Exception:
            logger.warning("Images could not be compared; they are the next time.", exc_info=True)
        finally:
            _compared.release()

    if _compared.acquire(blocking=False):
        _comparing.submit(compare_now)


# Database and project → the annotations that there were, and the corrected images by then.
_known_corrected: dict[tuple[str, int], tuple[tuple[int, int], CorrectedImages]] = {}


def _corrected(store: Store, project_id: int) -> CorrectedImages:
    """The corrected images of a project, read anew only where somebody corrected something."""
    with store.session(read_only=True) as session:
        key, state = (str(store.database.engine.url), project_id), annotations_state(session, project_id)
    known = _known_corrected.get(key)
    if known is None or known[0] != state:
        known = _known_corrected[key] = (state, corrected_images(store, project_id))
    return known[1]


def _regions(judged: Judged, checked: Checked, threshold: float, scale: float | None) -> list[dict[str, Any]]:
    with heavy_imports:
        from engine.detector.regions import find_regions
    with SHOWING.take(checked.width * checked.height):
        size = checked.height, checked.width
        found = find_regions(judged.scored.anomaly_map, *size, threshold, interest=judged.interest)
    return [_region(one, scale) for one in found]


def _region(region: "OutlinedRegion", scale: float | None) -> dict[str, Any]:
    mm = {
        "box_mm": [side / scale for side in region.box] if scale else None,
        "area_mm2": region.area / scale**2 if scale else None,
        "length_mm": region.length / scale if scale else None,
    }
    return {**asdict(region), **mm}


def _map_png(judged: Judged, checked: Checked) -> str:
    """A 16-bit grey PNG at the image's size, 65,535 = 1, in base64."""
    with SHOWING.take(checked.width * checked.height):
        whole = full_map(judged.scored.anomaly_map, checked.height, checked.width, judged.interest)
        return base64.b64encode(map_to_png16(whole)).decode()


def _plain(facts: PartFacts) -> dict[str, Any]:
    when = facts.captured_at
    return {**asdict(facts), "captured_at": None if when is None else when.isoformat(), "tags": list(facts.tags)}
