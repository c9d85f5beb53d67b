"""An image as REST tells of it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from db.images import ImageRow
from db.models import Annotation
from db.projects import get_project
from db.prompt_versions import get_version
from db.review_queue import Reason, reason
from workers.calibrating import Probability
from workers.evidence import score_probability


class AnnotationView(BaseModel):
    """One revision of what a person says of an image."""

    revision: int
    label: str = Field(description="normal or anomalous")
    area: int
    source: str
    author: str
    created_at: datetime


class ImageView(BaseModel):
    """An image, what the active prompts say of it, and what people say of it."""

    id: int
    project_id: int
    file_name: str
    sha256: str
    width: int
    height: int
    status: str = Field(description="unscored, failed, to_review or corrected")
    score: float | None
    threshold: float
    map_threshold: float
    verdict: Literal["normal", "anomalous"] | None
    probability: float | None = Field(description="calibrated, of being anomalous; null while it is not calibrated")
    probability_images: int | None = Field(description="on how many labelled images the probability rests")
    expected_gain: float | None = Field(description="how much a correction is expected to teach, 0–1")
    reason: Reason | None = Field(description="what says most for correcting it")
    prompt_version: int | None
    annotation: AnnotationView | None
    scoring_error: str | None
    created_at: datetime


def annotation_view(annotation: Annotation) -> AnnotationView:
    """The typed view of an annotation row."""
    return AnnotationView.model_validate(annotation, from_attributes=True)


def image_views(session: Session, rows: list[ImageRow]) -> list[ImageView]:
    """The typed views of image rows, in their order."""
    # A page has few projects (one) and few versions (one): the session answers the repeats from memory.
    projects = {row.image.project_id for row in rows}
    probabilities = {project_id: score_probability(session, project_id) for project_id in projects}
    return [_view(session, row, probabilities[row.image.project_id]) for row in rows]


def _verdict(score: float, threshold: float) -> Literal["normal", "anomalous"]:
    return "anomalous" if score >= threshold else "normal"


def _view(session: Session, row: ImageRow, calibrated: Probability | None) -> ImageView:
    image, prediction = row.image, row.prediction
    settings = get_project(session, image.project_id).settings
    threshold = settings["threshold"]
    probability = calibrated if prediction else None
    return ImageView(
        id=image.id,
        project_id=image.project_id,
        file_name=image.file_name,
        sha256=image.sha256,
        width=image.width,
        height=image.height,
        status=row.status,
        score=None if prediction is None else prediction.score,
        threshold=threshold,
        map_threshold=settings["map_threshold"],
        verdict=None if prediction is None else _verdict(prediction.score, threshold),
        probability=probability.of(prediction.score) if prediction and probability else None,
        probability_images=probability.images if probability else None,
        expected_gain=None if prediction is None else prediction.expected_gain,
        reason=None if prediction is None else reason(prediction, threshold),
        prompt_version=None if prediction is None else get_version(session, prediction.prompt_version_id).number,
        annotation=None if row.annotation is None else annotation_view(row.annotation),
        scoring_error=image.scoring_error,
        created_at=image.created_at,
    )
