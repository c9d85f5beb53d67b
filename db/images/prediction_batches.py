"""Predictions of many images kept together: a few statements for all of them, in place of several for each."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.errors import NotFound
from db.images.newest_annotations import labels_of
from db.images.predictions import save_prediction
from db.images.region_facts import judged_by_regions
from db.images.result_events import tell_of_score
from db.images.review_queue import expected_gain
from db.projects.interest import forget_old, interest_key, interest_keys
from db.projects.projects import get_project
from db.projects.verdict_rule import region_rule
from db.tables.core import Image, Prediction


@dataclass(frozen=True)
class NewPrediction:
    """What a version says of an image; see `save_prediction` for what each means."""

    image_id: int
    score: float
    map_blob_key: str
    map_max: float
    map_uncertainty: float
    novelty: float
    engine_settings: dict[str, Any]
    stands_out: bool | None = None
    interest_blob_key: str | None = None
    region_areas: Sequence[float] | None = None
    region_threshold: float | None = None


def save_predictions(
    session: Session, prompt_version_id: int, given: Sequence[NewPrediction], replaced: set[str]
) -> None:
    """Keep them, each in place of an earlier one of the same pair.

    Args:
        session: a writing session.
        prompt_version_id: which version says so.
        given: what it says, of one image each.
        replaced: gets the keys of maps that nobody needs now: of earlier ones, of images deleted in the meantime, and
            of those made by a region of interest that was changed in the meantime, which are not kept.
    """
    given = _by_region_of_now(session, given, replaced)
    try:
        with session.begin_nested():
            others = _insert_new(session, prompt_version_id, given)
    except IntegrityError:  # another process saved one, or deleted an image, just now
        others = list(given)
    for one in others:
        try:
            save_prediction(session, prompt_version_id=prompt_version_id, replaced=replaced, **asdict(one))
        except NotFound:  # deleted meanwhile
            replaced.add(one.map_blob_key)
    replaced.update(forget_old(session, [one.image_id for one in given]))


def _insert_new(session: Session, version_id: int, given: Sequence[NewPrediction]) -> list[NewPrediction]:
    """Insert those that are the first of their pair; returns the others."""
    ids = [one.image_id for one in given]
    labels = labels_of(session, ids)
    images = {image.id: image for image in session.scalars(select(Image).where(Image.id.in_(ids)))}
    before = select(Prediction.image_id).where(Prediction.prompt_version_id == version_id, Prediction.image_id.in_(ids))
    had = set(session.scalars(before))
    settings = {one: get_project(session, one).settings for one in {image.project_id for image in images.values()}}
    fresh, others = list[tuple[Image, Prediction]](), list[NewPrediction]()
    for one in given:
        image = images.get(one.image_id)
        if image is None or one.image_id in had:
            others.append(one)
            continue
        row = _row(version_id, one, settings[image.project_id])
        row.label = labels.get(one.image_id)
        fresh.append((image, row))
        image.scoring_error = None
    session.add_all(prediction for _, prediction in fresh)
    session.flush()
    for image, prediction in fresh:
        tell_of_score(session, image, prediction)
    return others


def _by_region_of_now(session: Session, given: Sequence[NewPrediction], replaced: set[str]) -> list[NewPrediction]:
    """Without those that were made by another region of interest: their images are scored anew."""
    ids = [one.image_id for one in given]
    rows = select(Image.id, Image.project_id, Image.station).where(Image.id.in_(ids))
    images = {image_id: (project_id, station) for image_id, project_id, station in session.execute(rows)}
    regions = {one: interest_keys(session, one, hold=True) for one, _ in images.values()}
    kept = []
    for one in given:
        project_id, station = images.get(one.image_id, (None, None))
        if project_id is None or one.interest_blob_key == interest_key(regions[project_id], station):
            kept.append(one)
        else:
            replaced.add(one.map_blob_key)
    return kept


def _row(version_id: int, one: NewPrediction, settings: dict[str, Any]) -> Prediction:
    gain = expected_gain(one.score, one.map_uncertainty, one.novelty, settings["threshold"])
    regions = judged_by_regions(region_rule(settings), one.region_areas, one.region_threshold)
    return Prediction(prompt_version_id=version_id, expected_gain=gain, **{**asdict(one), **regions})
