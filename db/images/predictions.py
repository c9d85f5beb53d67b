"""Predictions: what a prompt version says of an image, one row for each pair."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.clock import shared_now
from db.errors import NotFound
from db.images.newest_annotations import labels_of
from db.images.region_facts import judged_by_regions
from db.images.result_events import tell_of_score
from db.images.review_queue import expected_gain
from db.insert import insert_or_find
from db.lookup import get_row
from db.projects.projects import get_project
from db.projects.verdict_rule import region_rule
from db.tables.core import Image, Prediction, PromptVersion
from db.tables.interest import OldPrediction


def save_prediction(
    session: Session,
    *,
    image_id: int,
    prompt_version_id: int,
    score: float,
    map_blob_key: str,
    map_max: float,
    map_uncertainty: float = 0.0,
    novelty: float = 0.0,
    stands_out: bool | None = None,
    interest_blob_key: str | None = None,
    region_areas: Sequence[float] | None = None,
    region_threshold: float | None = None,
    engine_settings: dict[str, Any],
    replaced: set[str] | None = None,
) -> Prediction:
    """Keep a prediction, in place of an earlier one of the same pair; the image's scoring_error is cleared.

    Args:
        session: a writing session.
        image_id: which image.
        prompt_version_id: which prompts.
        score: probability of being anomalous, 0–1.
        map_blob_key: float32 .npy at model resolution, 0–1.
        map_max: the map's largest value, 0–1.
        map_uncertainty: how unsure the map is of itself, 0–1; 0 also where that is not known.
        novelty: how unlike the corrected images it is, 0–1; 0 also where that is not known.
        stands_out: whether it stands out among the project's images, where nothing else tells them apart.
        interest_blob_key: the mask of the region of interest that it was made by; None: all of the image counts.
        region_areas: px² of all regions of the map at `region_threshold`, where the project's rule needs them.
        region_threshold: the map threshold that they were found at, 0–1.
        engine_settings: what else is known of how it was made: device, image size, seconds, and so on.
        replaced: gets the key of an earlier one's map: give it to `Store.delete_blobs` after this transaction.

    Raises:
        NotFound: the image was deleted in the meantime, or there is no such version.
    """
    image = get_row(session, Image, image_id)
    settings = get_project(session, image.project_id).settings
    labels = labels_of(session, [image_id])
    values = {
        "score": score,
        "map_blob_key": map_blob_key,
        "map_max": map_max,
        "map_uncertainty": map_uncertainty,
        "novelty": novelty,
        "stands_out": stands_out,
        "interest_blob_key": interest_blob_key,
        "label": labels.get(image_id),
        "expected_gain": expected_gain(score, map_uncertainty, novelty, settings["threshold"]),
        **judged_by_regions(region_rule(settings), region_areas, region_threshold),
        "engine_settings": engine_settings,
        "created_at": shared_now(session),
    }
    pair = {"image_id": image_id, "prompt_version_id": prompt_version_id}
    try:
        prediction, new = insert_or_find(
            session, Prediction(**pair, **values), select(Prediction).filter_by(**pair).with_for_update()
        )
    except IntegrityError as error:
        raise NotFound("pair of image and prompt version", f"{image_id}, {prompt_version_id}") from error
    if not new:
        if replaced is not None and prediction.map_blob_key != map_blob_key:
            replaced.add(prediction.map_blob_key)
        for name, value in values.items():
            setattr(prediction, name, value)
    image.scoring_error = None
    session.flush()
    if new:
        tell_of_score(session, image, prediction)
    return prediction


def forget_predictions(session: Session, prediction_ids: Sequence[int]) -> None:
    """Delete predictions: their images are scored anew where the version is in use."""
    if prediction_ids:
        session.execute(delete(Prediction).where(Prediction.id.in_(prediction_ids)))


def active_prediction(session: Session, image_id: int) -> Prediction | None:
    """The prediction of the active prompts of the image's project, if it has been scored by them."""
    active = _of_image(image_id).where(PromptVersion.state == "active")
    return session.scalars(active).one_or_none()


def prediction_by_version(session: Session, image_id: int, version_id: int) -> Prediction | None:
    """What this version says of the image, if it has been asked."""
    return session.scalars(_of_image(image_id).where(Prediction.prompt_version_id == version_id)).one_or_none()


def latest_prediction(session: Session, image_id: int) -> Prediction | OldPrediction | None:
    """What to show until the active prompts have scored the image: what they said by another region of interest.

    Where they said nothing, the prediction of the newest prompts that did.
    """
    old = session.scalars(select(OldPrediction).where(OldPrediction.image_id == image_id)).one_or_none()
    if old is not None:
        return old
    newest = _of_image(image_id).order_by(PromptVersion.number.desc()).limit(1)
    return session.scalars(newest).one_or_none()


def latest_scores(session: Session, image_ids: Sequence[int]) -> dict[int, float]:
    """What each of these images was last said to score, by whichever version; those never scored are left out."""
    if not image_ids:
        return {}
    rows = select(Prediction.image_id, Prediction.score).where(Prediction.image_id.in_(image_ids))
    # The last row of each image stays.
    found = session.execute(rows.order_by(Prediction.created_at)).tuples()
    old = select(OldPrediction.image_id, OldPrediction.score).where(OldPrediction.image_id.in_(image_ids))
    return {**dict(found.all()), **dict(session.execute(old).tuples().all())}


def _of_image(image_id: int) -> Select[Prediction]:
    return (
        select(Prediction)
        .join(PromptVersion, PromptVersion.id == Prediction.prompt_version_id)
        .where(Prediction.image_id == image_id)
    )
