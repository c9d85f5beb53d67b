"""What a project's rule on regions needs of a prediction, kept with it, and brought along when the rule changes.

The areas of its map's regions, at one map threshold; and what the rule says of them, so that a list can be filtered.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session, undefer

from db.projects.verdict_rule import MOST_AREAS, RegionRule
from db.tables.core import Image, Prediction


def judged_by_regions(
    rule: RegionRule | None, region_areas: Sequence[float] | None = None, region_threshold: float | None = None
) -> dict[str, Any]:
    """A prediction's columns on its regions.

    Args:
        rule: the project's, as it is now; None: its score decides.
        region_areas: px² of all regions at `region_threshold`; None: not measured.
        region_threshold: the map threshold by which they were measured.
    """
    kept = None if region_areas is None else sorted(region_areas, reverse=True)[:MOST_AREAS]
    judged: dict[str, Any] = {"regions_rule": None, "regions_anomalous": None}
    if rule is not None and kept is not None and region_threshold == rule.map_threshold:
        judged = {"regions_rule": rule.key, "regions_anomalous": rule.calls_anomalous(kept)}
    return {"region_areas": kept, "region_threshold": region_threshold, **judged}


def unjudged(session: Session, version_id: int, rule: RegionRule, limit: int) -> list[tuple[Prediction, Image]]:
    """Predictions of a version that an older rule judged, or none, with their images and areas; up to `limit`."""
    rows = (
        select(Prediction, Image)
        .join(Image, Image.id == Prediction.image_id)
        .where(
            Prediction.prompt_version_id == version_id,
            # As three ranges of the index, not one inequality: mostly there is nothing, and that is known at once.
            or_(
                Prediction.regions_rule.is_(None),
                Prediction.regions_rule < rule.key,
                Prediction.regions_rule > rule.key,
            ),
        )
        .options(undefer(Prediction.region_areas))
        .limit(limit)
    )
    return list(session.execute(rows).tuples())


def kept_areas(session: Session, version_id: int, threshold: float) -> dict[int, list[float]]:
    """By the prediction's id, the areas (px²) of its regions at a map threshold, of a version's where they are kept."""
    rows = select(Prediction.id, Prediction.region_areas).where(
        Prediction.prompt_version_id == version_id, Prediction.region_threshold == threshold
    )
    return {one: areas for one, areas in session.execute(rows) if areas is not None}


def keep_judged(session: Session, rule: RegionRule, measured: Mapping[int, tuple[str, Sequence[float]]]) -> None:
    """Keep what the rule says of predictions.

    Args:
        session: a writing session.
        rule: the project's.
        measured: by the prediction's id, the key of its map and the areas (px²) of all regions at the rule's map
            threshold; where it has another map meanwhile, nothing is kept.
    """
    for prediction_id, (map_blob_key, areas) in measured.items():
        session.execute(
            update(Prediction)
            .where(Prediction.id == prediction_id, Prediction.map_blob_key == map_blob_key)
            .values(**judged_by_regions(rule, areas, rule.map_threshold))
            .execution_options(synchronize_session=False)
        )
