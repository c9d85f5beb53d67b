"""The regions of maps measured for a project's verdict rule, and what is kept brought along when that changes."""

import logging
from functools import lru_cache
from typing import Any

from db.errors import BlobMissing
from db.images.predictions import forget_predictions
from db.images.region_facts import keep_judged, unjudged
from db.images.rows import active_version_id
from db.projects.projects import get_project
from db.projects.verdict_rule import RegionRule, region_rule
from db.store import Store
from db.tables.core import Image, Prediction
from engine.detector.maps import FloatMap, map_from_npy
from engine.images.interest import Interest
from workers.images.pixel_rooms import SHOWING
from workers.operations.first_imports import heavy_imports
from workers.scoring.interest import interest_by

logger = logging.getLogger(__name__)

# Predictions that are judged anew between two short writing transactions.
_BATCH = 64


def rule_of(store: Store, project_id: int) -> RegionRule | None:
    """The project's rule on regions, as it is now; None: its score decides."""
    with store.session(read_only=True) as session:
        return region_rule(get_project(session, project_id).settings)


def region_columns(
    rule: RegionRule | None, anomaly_map: FloatMap, height: int, width: int, interest: Interest | None
) -> dict[str, Any]:
    """What is kept of the regions with a new prediction of an image of this size; nothing where no rule needs them."""
    if rule is None:
        return {}
    areas = measure(anomaly_map, height, width, rule.map_threshold, interest)
    return {"region_areas": areas, "region_threshold": rule.map_threshold}


def measure(anomaly_map: FloatMap, height: int, width: int, threshold: float, interest: Interest | None) -> list[float]:
    """The areas in px² of all regions of a map at the size of its image, the largest first."""
    with heavy_imports:
        from engine.detector.regions import region_areas
    with SHOWING.take(height * width):
        return region_areas(anomaly_map, height, width, threshold, interest)


def areas_of(store: Store, prediction: Prediction, image: Image, threshold: float) -> list[float]:
    """The areas in px² of all regions of a prediction's map. Raises BlobMissing, BlobsUnavailable."""
    if prediction.map_max < threshold:
        return []
    size = image.height, image.width
    return list(_measured(store, prediction.map_blob_key, prediction.interest_blob_key, size, threshold))


@lru_cache(maxsize=50_000)  # few numbers each, and a map of a key never changes: after a trial, the rule is in use soon
def _measured(
    store: Store, map_blob_key: str, interest_key: str | None, size: tuple[int, int], threshold: float
) -> tuple[float, ...]:
    anomaly_map = map_from_npy(store.blobs.get(map_blob_key))
    return tuple(measure(anomaly_map, *size, threshold, interest_by(store, interest_key, *size)))


def judge_anew(store: Store, project_id: int) -> int:
    """Bring some predictions of the version in use in line with the project's rule on regions, as it is now.

    Returns:
        How many there were; 0: all are in line, or the project's score decides.

    Raises:
        BlobsUnavailable: maps can't be read now; it is tried again.
    """
    with store.session(read_only=True) as session:
        rule = region_rule(get_project(session, project_id).settings)
        version_id = active_version_id(session, project_id)
        if rule is None or version_id is None:
            return 0
        waiting = unjudged(session, version_id, rule, _BATCH)
    measured, lost = {}, []
    for prediction, image in waiting:
        try:
            areas = prediction.region_areas if prediction.region_threshold == rule.map_threshold else None
            if areas is None:
                areas = areas_of(store, prediction, image, rule.map_threshold)
            measured[prediction.id] = prediction.map_blob_key, areas
        except BlobMissing as error:
            logger.error("Image %d is scored anew, as its map is lost: %s", image.id, error)
            lost.append(prediction.id)
    if waiting:
        with store.session() as session:
            keep_judged(session, rule, measured)
            forget_predictions(session, lost)
    return len(waiting)
