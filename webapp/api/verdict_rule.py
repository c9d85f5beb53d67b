"""`/projects/{project_id}/verdict_rule/trial`: another verdict rule tried on all images, before it is saved."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from webapp.api.dependencies import Id, StoreDep
from workers.thresholds.rule_trial import try_rule

router = APIRouter(prefix="/projects/{project_id}/verdict_rule", tags=["projects"])

Verdict = Literal["normal", "anomalous"] | None


class TriedSettings(BaseModel):
    """The settings to try; what is left out, or null, is as the project has it."""

    model_config = ConfigDict(extra="forbid")

    verdict_rule: dict[str, Any] | None = Field(
        None,
        description='{"kind": "score"}, or {"kind": "regions", "area", "more_than" (0), "single" (null), "unit" (mm2 '
        "where the project has a scale, else px2)}: anomalous with more regions of at least that area, or with a "
        "single one of the second",
    )
    map_threshold: float | None = Field(None, ge=0, le=1)
    threshold: float | None = Field(None, ge=0, le=1)


class TallyView(BaseModel):
    """Verdicts counted, and those that people contradict."""

    normal: int
    anomalous: int
    unjudged: int
    false_alarms: int = Field(description="images called anomalous that people called normal")
    misses: int = Field(description="images called normal that people called anomalous")


class ChangedImageView(BaseModel):
    """An image that would be called otherwise."""

    image_id: int
    file_name: str
    score: float
    before: Verdict
    after: Verdict
    label: str | None = Field(description="what people call it; null: nobody said")


class RuleTrialView(BaseModel):
    """What would come of the settings; nothing was changed."""

    images: int = Field(description="that the version in use has scored")
    labelled_normal: int
    labelled_anomalous: int
    to_anomalous: int
    to_normal: int
    unreadable: int = Field(description="images whose map is lost; counted nowhere else")
    before: TallyView
    after: TallyView
    changed: list[ChangedImageView] = Field(description="at most 12 each way, corrected ones first, then the newest")


@router.post("/trial")
def post_trial(store: StoreDep, project_id: Id, wanted: TriedSettings) -> RuleTrialView:
    """Judge all images by other settings, and say what would change; save them with PATCH of the project."""
    trial = try_rule(store, project_id, wanted.model_dump(exclude_none=True))
    return RuleTrialView.model_validate(trial, from_attributes=True)
