"""An image as REST tells of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from db.defects.naming import named_regions
from db.images.predictions import latest_scores
from db.images.previews import previews_of
from db.images.review_queue import Reason, expected_gain, reason
from db.images.rows import ImageRow
from db.images.verdicts import Criterion, criterion, criterion_by, verdict
from db.projects.interest import mask_sizes
from db.projects.projects import get_project
from db.tables.core import Annotation, Prediction, Preview, PromptVersion
from db.tables.defects import NamedDefect
from db.training.prompt_versions import get_version, parts_of
from webapp.texts import Texts
from webapp.texts.translation import translated
from workers.scoring.interest import Applied, applied_to
from workers.scoring.unlike_others import is_offered
from workers.thresholds.calibrating import Probability
from workers.thresholds.evidence import score_probability


class NamedDefectView(BaseModel):
    """A region of a correction that has a kind of defect."""

    model_config = ConfigDict(from_attributes=True)

    kind_id: int
    x: int | None = Field(description="of a pixel in the region; null: the image as a whole")
    y: int | None
    area: int = Field(description="of the region, px")


class AnnotationView(BaseModel):
    """One revision of what a person says of an image."""

    revision: int
    label: str = Field(description="normal or anomalous")
    area: int
    source: str
    author: str
    created_at: datetime
    comment: str = Field(description="a person's own words; stays with later revisions of the same label")
    defects: list[NamedDefectView] = Field([], description="the regions that have a kind, the largest first")
    note: str = Field(
        "", description="of a mask that was sent just now: how it was read, or what is odd about it; mostly empty"
    )


class PreviewView(BaseModel):
    """What the corrections so far make of an image; no run has judged it."""

    score: float
    corrections: int = Field(description="how many it was learnt from")
    created_at: datetime


class ImageView(BaseModel):
    """An image, what the active prompts say of it, and what people say of it."""

    id: int
    project_id: int
    file_name: str
    sha256: str
    width: int
    height: int
    part: str | None = Field(description="its part's number, where somebody or its file name said")
    lot: str | None
    station: str | None
    captured_at: datetime | None = Field(description="when it was taken: as it was said, or by its name or its EXIF")
    tags: list[str]
    status: str = Field(description="unscored, failed, to_review or corrected")
    score: float | None
    old_score: float | None = Field(
        description="until the version in use has scored it: what the one before said, which may be another model's"
    )
    threshold: float
    map_threshold: float
    verdict: Literal["normal", "anomalous"] | None = Field(
        description="null: not scored, or not judged yet: until a run's version or a person's threshold tells the "
        "project's images apart, those that stand out among at least eight are anomalous, and no other one is judged"
    )
    verdict_rule: Literal["score", "regions"] = Field(
        description="what the verdict goes by; by regions it is null until they were measured by the rule as it is now"
    )
    region_of_interest: Literal["applied", "other_proportions"] | None = Field(
        description="whether only a region of it counts; other_proportions: there is one, and the image's sides have "
        "another ratio, so that all of it counts; null: there is none, or it is not scored"
    )
    probability: float | None = Field(description="calibrated, of being anomalous; null while it is not calibrated")
    probability_images: int | None = Field(description="on how many labelled images the probability rests")
    expected_gain: float | None = Field(description="how much a correction is expected to teach, 0–1")
    reason: Reason | None = Field(description="what says most for correcting it")
    prompt_version: int | None
    scoring_seconds: float | None = Field(
        description="from its bytes to score and map: its share, where several were scored together"
    )
    scored_from_cache: bool | None = Field(description="whether its features were kept from an earlier score")
    parts: list[str] = Field(description="of the version that scored it: prompts, heads, refiner, image head")
    preview: PreviewView | None = Field(
        description="what the corrections since that version make of it, to look at; see its map with preview=true"
    )
    unlike_others: bool = Field(
        description="whether there is a map of what is unlike the project's other images, see its map with "
        "part=unlike_others: from eight scored images on, while the version in use has learnt prompts alone"
    )
    annotation: AnnotationView | None
    golden: bool = Field(description="whether nothing is learnt from it, and every candidate has to judge it")
    scoring_error: str | None
    created_at: datetime


def annotation_view(annotation: Annotation, named: Sequence[NamedDefect], note: str = "") -> AnnotationView:
    """The typed view of an annotation row and of its regions that have a kind."""
    seen = AnnotationView.model_validate(annotation, from_attributes=True)
    return seen.model_copy(update={"note": note, "defects": [NamedDefectView.model_validate(one) for one in named]})


def image_views(session: Session, rows: list[ImageRow], say: Texts) -> list[ImageView]:
    """The typed views of image rows, in their order; what went wrong in the language of `say`."""
    # A page has few projects (one) and few versions (one): each is asked for once.
    settings = {one: get_project(session, one).settings for one in {row.image.project_id for row in rows}}
    probabilities = {one: score_probability(session, one) for one in settings}
    version_ids = {row.prediction.prompt_version_id for row in rows if row.prediction}
    versions = {one: get_version(session, one) for one in version_ids}
    offered = {one for one, version in versions.items() if version.state == "active" and is_offered(session, version)}
    judged_by = {one: criterion(session, one) for one in version_ids}
    masks = {one: mask_sizes(session, one) for one in settings}
    previews = previews_of(session, [row.image.id for row in rows])
    named = named_regions(session, [row.annotation.id for row in rows if row.annotation])
    old_scores = latest_scores(session, [row.image.id for row in rows if row.prediction is None])
    return [
        _view(
            row,
            settings[row.image.project_id],
            applied_to(row.image, row.prediction, masks[row.image.project_id]) if row.prediction else None,
            probabilities[row.image.project_id],
            versions.get(row.prediction.prompt_version_id) if row.prediction else None,
            judged_by[row.prediction.prompt_version_id]
            if row.prediction
            else criterion_by(settings[row.image.project_id]),
            row.prediction is not None and row.prediction.prompt_version_id in offered,
            previews.get(row.image.id) if row.prediction else None,
            old_scores.get(row.image.id),
            named.get(row.annotation.id, []) if row.annotation else [],
            say,
        )
        for row in rows
    ]


def _view(
    row: ImageRow,
    settings: dict[str, Any],
    region_of_interest: Applied | None,
    calibrated: Probability | None,
    version: PromptVersion | None,
    judged_by: Criterion,
    unlike_others: bool,
    preview: Preview | None,
    old_score: float | None,
    named: Sequence[NamedDefect],
    say: Texts,
) -> ImageView:
    image, prediction = row.image, row.prediction
    threshold = settings["threshold"]
    probability = calibrated if prediction else None
    made = prediction.engine_settings if prediction else {}
    return ImageView(
        id=image.id,
        project_id=image.project_id,
        file_name=image.file_name,
        sha256=image.sha256,
        width=image.width,
        height=image.height,
        part=image.part,
        lot=image.lot,
        station=image.station,
        captured_at=image.captured_at,
        tags=list(image.tags or []),
        status=row.status,
        score=None if prediction is None else prediction.score,
        old_score=old_score,
        threshold=threshold,
        map_threshold=settings["map_threshold"],
        verdict=None if prediction is None else verdict(prediction, judged_by),
        verdict_rule=judged_by.kind,
        region_of_interest=region_of_interest,
        probability=probability.of(prediction.score) if prediction and probability else None,
        probability_images=probability.images if probability else None,
        expected_gain=None if prediction is None else _gain(prediction, threshold),
        reason=None if prediction is None else reason(prediction, threshold),
        prompt_version=None if version is None else version.number,
        scoring_seconds=made.get("seconds"),
        scored_from_cache=made.get("from_cache"),
        parts=[] if version is None else parts_of(version),
        preview=None if preview is None else PreviewView.model_validate(preview, from_attributes=True),
        unlike_others=unlike_others,
        annotation=None if row.annotation is None else annotation_view(row.annotation, named),
        golden=image.golden,
        scoring_error=None if image.scoring_error is None else translated(say, image.scoring_error),
        created_at=image.created_at,
    )


def _gain(prediction: Prediction, threshold: float) -> float:
    """By the threshold of now, which the kept one may still have to follow."""
    return float(expected_gain(prediction.score, prediction.map_uncertainty, prediction.novelty, threshold))
