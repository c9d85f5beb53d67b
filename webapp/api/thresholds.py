"""`/threshold`: the image threshold or the map threshold of a project, and what labelled images say of it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from db.projects.projects import get_project
from db.store import Store
from webapp.access.projects import ProjectsDep
from webapp.api.dependencies import StoreDep
from workers.projects.changes import change_project
from workers.projects.shipped_prompts import DEFAULT_PROJECT
from workers.thresholds.calibrating import (
    ENOUGH,
    Evidence,
    at_false_alarm_rate,
    best_f1,
    fit_probability,
    outcome_at,
    what_it_rests_on,
)
from workers.thresholds.evidence import pixel_evidence, score_evidence

router = APIRouter(prefix="/threshold", tags=["threshold"])

Level = Literal["image", "pixel"]
_SETTING = {"image": "threshold", "pixel": "map_threshold"}


class OutcomeView(BaseModel):
    """What a threshold does to the labelled values; null where a rate is not defined."""

    threshold: float
    recall: float | None = Field(description="share of the anomalous ones that are found, 0–1")
    precision: float | None = Field(description="share of those called anomalous that are, 0–1")
    f1: float | None
    false_alarm_rate: float | None = Field(description="share of the normal ones called anomalous, 0–1")


class ProbabilityView(BaseModel):
    """P(anomalous | score) = σ(slope · logit(score) + intercept), and on how many images that rests."""

    slope: float
    intercept: float
    images: int


class ThresholdView(BaseModel):
    """A threshold, the values it divides, and what would be better ones.

    The three histograms have 1,000 steps of 0.001 from 0 to 1. Of images they count images; of pixels they hold
    weights, each image weighing 1.
    """

    level: Level
    now: OutcomeView
    normal: list[float]
    anomalous: list[float]
    unlabelled: list[float]
    normal_images: int
    anomalous_images: int
    calibrated: bool
    enough: int = Field(description="images of each label that a calibration needs")
    rests_on: str = Field(description="one sentence: on how many images this rests, and what is missing")
    best_f1: OutcomeView | None = Field(description="the threshold of the best F1")
    at_false_alarm_rate: OutcomeView | None = Field(description="the lowest threshold with no more false alarms")
    probability: ProbabilityView | None = Field(description="of images only; null while it is not calibrated")


class NewThreshold(BaseModel):
    """A threshold to use from now on."""

    project: str = DEFAULT_PROJECT
    level: Level = "image"
    threshold: float = Field(ge=0, le=1)


@router.get("")
def get_threshold(
    store: StoreDep,
    projects: ProjectsDep,
    project: str = DEFAULT_PROJECT,
    level: Level = "image",
    false_alarms: Annotated[float, Query(ge=0, le=1, description="the rate for `at_false_alarm_rate`")] = 0.05,
) -> ThresholdView:
    """The threshold in use and what the accepted and corrected images say of it."""
    return _view(store, projects.named(project).id, level, false_alarms)


@router.put("")
def put_threshold(store: StoreDep, projects: ProjectsDep, wanted: NewThreshold) -> ThresholdView:
    """Use another threshold from now on: verdicts and the order of what to correct next follow."""
    project_id = projects.named(wanted.project).id
    change_project(store, project_id, settings={_SETTING[wanted.level]: wanted.threshold})
    return _view(store, project_id, wanted.level, 0.05)


def _view(store: Store, project_id: int, level: Level, false_alarms: float) -> ThresholdView:
    with store.session(read_only=True) as session:
        threshold = get_project(session, project_id).settings[_SETTING[level]]
        evidence = score_evidence(session, project_id) if level == "image" else None
    if evidence is None:
        evidence = pixel_evidence(store, project_id)
    fitted = fit_probability(evidence) if level == "image" else None
    enough = min(evidence.normal_images, evidence.anomalous_images) >= ENOUGH
    separable = level == "pixel" or not enough or fitted is not None
    return ThresholdView.model_validate(
        {
            "level": level,
            "now": outcome_at(evidence, threshold),
            **_histograms(evidence),
            "normal_images": evidence.normal_images,
            "anomalous_images": evidence.anomalous_images,
            "calibrated": enough and separable,
            "enough": ENOUGH,
            "rests_on": what_it_rests_on(evidence, separable=separable),
            "best_f1": best_f1(evidence),
            "at_false_alarm_rate": at_false_alarm_rate(evidence, false_alarms),
            "probability": fitted,
        },
        from_attributes=True,
    )


def _histograms(evidence: Evidence) -> dict[str, list[float]]:
    return {name: getattr(evidence, name).round(7).tolist() for name in ("normal", "anomalous", "unlabelled")}
