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
from db.images.result_events import tell_of_score
from db.images.review_queue import expected_gain
from db.projects.projects import get_project
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


def save_predictions(
    session: Session, prompt_version_id: int, given: Sequence[NewPrediction], replaced: set[str]
) -> None:
    """Keep them, each in place of an earlier one of the same pair.

    Args:
        session: a writing session.
        prompt_version_id: which version says so.
        given: what it says, of one image each.
        replaced: gets the keys of maps that nobody needs now: of earlier ones, and of images deleted in the meantime.
    """
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


def _insert_new(session: Session, version_id: int, given: Sequence[NewPrediction]) -> list[NewPrediction]:
    """Insert those that are the first of their pair; returns the others."""
    ids = [one.image_id for one in given]
    labels = labels_of(session, ids)
    images = {image.id: image for image in session.scalars(select(Image).where(Image.id.in_(ids)))}
    before = select(Prediction.image_id).where(Prediction.prompt_version_id == version_id, Prediction.image_id.in_(ids))
    had = set(session.scalars(before))
    thresholds = {one: _threshold(session, one) for one in {image.project_id for image in images.values()}}
    fresh, others = list[tuple[Image, Prediction]](), list[NewPrediction]()
    for one in given:
        image = images.get(one.image_id)
        if image is None or one.image_id in had:
            others.append(one)
            continue
        gain = expected_gain(one.score, one.map_uncertainty, one.novelty, thresholds[image.project_id])
        known = {"expected_gain": gain, "label": labels.get(one.image_id)}
        fresh.append((image, Prediction(prompt_version_id=version_id, **known, **asdict(one))))
        image.scoring_error = None
    session.add_all(prediction for _, prediction in fresh)
    session.flush()
    for image, prediction in fresh:
        tell_of_score(session, image, prediction)
    return others


def _threshold(session: Session, project_id: int) -> float:
    return float(get_project(session, project_id).settings["threshold"])
