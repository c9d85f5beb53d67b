"""Verdicts: by the threshold, or, before anything tells a project's images apart, by what stands out among them.

There a score has nothing to be held against: an image that does not stand out, or was not compared with others yet, is
not judged.
"""

from typing import Literal

from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import Session

from db.lookup import get_row
from db.projects.projects import get_project
from db.tables.core import Prediction, PromptVersion
from db.training.prompt_versions import parts_of


def judging_threshold(session: Session, version_id: int) -> float | None:
    """From which score on the version calls images of its project anomalous; None: nothing tells them apart yet."""
    if is_first_visit(session, version_id):
        return None
    version = get_row(session, PromptVersion, version_id)
    return float(get_project(session, version.project_id).settings["threshold"])


def verdict(prediction: Prediction, threshold: float | None) -> Literal["normal", "anomalous"] | None:
    """What a prediction says of its image, by `judging_threshold`; None: it is not judged yet."""
    if threshold is None:
        return "anomalous" if prediction.stands_out else None
    return "anomalous" if prediction.score >= threshold else "normal"


def has_verdict(wanted: str, threshold: float | None, score: ColumnElement[float]) -> ColumnElement[bool]:
    """`verdict` as SQL, of predictions with this score."""
    if threshold is None:
        return Prediction.stands_out.is_(True) if wanted == "anomalous" else false()
    return score >= threshold if wanted == "anomalous" else score < threshold


def is_first_visit(session: Session, version_id: int) -> bool:
    """Whether nothing tells the images of the version's project apart yet.

    No run's version is in use, nor an imported detector that learnt more than prompts, and no person's threshold.
    """
    version = get_row(session, PromptVersion, version_id)
    if version.state != "active" or version.origin == "tuned" or parts_of(version) != ["prompts"]:
        return False
    return not get_project(session, version.project_id).settings.get("threshold_chosen")
