"""Verdicts: by the project's rule, or, before anything tells its images apart, by what stands out among them.

By score there is nothing to hold it against at first: an image that does not stand out, or was not compared with others
yet, is not judged. By regions, an image is not judged until its regions were measured by the rule as it is now.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, false
from sqlalchemy.orm import Session

from db.lookup import get_row
from db.projects.projects import get_project
from db.projects.verdict_rule import RegionRule, region_rule
from db.tables.core import Prediction, PromptVersion
from db.training.prompt_versions import parts_of


@dataclass(frozen=True)
class Criterion:
    """What verdicts are by: `regions`; else `threshold`; with neither, what stands out.

    Attributes:
        threshold: 0–1; scores from it on are anomalous.
        regions: the rule on the map's regions.
    """

    threshold: float | None = None
    regions: RegionRule | None = None

    @property
    def kind(self) -> Literal["score", "regions"]:
        """What the project's rule goes by."""
        return "score" if self.regions is None else "regions"


def criterion(session: Session, version_id: int) -> Criterion:
    """By what images of its project are judged that the version scored."""
    settings = get_project(session, get_row(session, PromptVersion, version_id).project_id).settings
    return criterion_by(settings, first_visit=is_first_visit(session, version_id))


def criterion_by(settings: Mapping[str, Any], *, first_visit: bool = False) -> Criterion:
    """The same by a project's settings; `first_visit`: see `is_first_visit`."""
    regions = region_rule(settings)
    if regions is not None:
        return Criterion(regions=regions)
    return Criterion(None if first_visit else float(settings["threshold"]))


def verdict(prediction: Prediction, by: Criterion) -> Literal["normal", "anomalous"] | None:
    """What a prediction says of its image; None: it is not judged yet."""
    if by.regions is not None:
        if prediction.regions_rule != by.regions.key:
            return None
        return "anomalous" if prediction.regions_anomalous else "normal"
    if by.threshold is None:
        return "anomalous" if prediction.stands_out else None
    return "anomalous" if prediction.score >= by.threshold else "normal"


def has_verdict(wanted: str, by: Criterion, score: ColumnElement[float]) -> ColumnElement[bool]:
    """`verdict` as SQL, of predictions with this score."""
    if by.regions is not None:
        said = Prediction.regions_anomalous.is_(wanted == "anomalous")
        return and_(Prediction.regions_rule == by.regions.key, said)
    if by.threshold is None:
        return Prediction.stands_out.is_(True) if wanted == "anomalous" else false()
    return score >= by.threshold if wanted == "anomalous" else score < by.threshold


def is_first_visit(session: Session, version_id: int) -> bool:
    """Whether nothing tells the images of the version's project apart yet, by their scores.

    No run's version is in use, nor an imported detector that learnt more than prompts, and no person's threshold.
    """
    version = get_row(session, PromptVersion, version_id)
    if version.state != "active" or version.origin == "tuned" or parts_of(version) != ["prompts"]:
        return False
    return not get_project(session, version.project_id).settings.get("threshold_chosen")
