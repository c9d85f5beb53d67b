"""Verdicts: by the threshold, or, before anything tells a project's images apart, by what stands out among them.

There a score has nothing to be held against: an image that does not stand out, or was not compared with others yet, is
not judged. Who listens is told of an anomalous image when it is called so.
"""

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from db.lookup import get_row
from db.projects.projects import get_project
from db.tables.core import Image, Prediction, PromptVersion
from db.training.prompt_versions import parts_of
from db.webhooks.messages import listeners, tell


def judging_threshold(session: Session, version_id: int) -> float | None:
    """From which score on the version calls images of its project anomalous; None: nothing tells them apart yet."""
    if is_first_visit(session, version_id):
        return None
    version = get_row(session, PromptVersion, version_id)
    return float(get_project(session, version.project_id).settings["threshold"])


def verdict(prediction: Prediction, threshold: float | None) -> Literal["normal", "anomalous"] | None:
    """What a prediction says of its image, by `judging_threshold`; None: it is not judged yet."""
    if prediction.stands_out is not None:
        return "anomalous" if prediction.stands_out else None
    if threshold is None:
        return None
    return "anomalous" if prediction.score >= threshold else "normal"


def has_verdict(wanted: str, threshold: float | None) -> ColumnElement[bool]:
    """`verdict` as SQL."""
    if threshold is None:
        return Prediction.stands_out.is_(True) if wanted == "anomalous" else false()
    by_threshold = Prediction.stands_out.is_(None)
    if wanted == "anomalous":
        return or_(Prediction.stands_out.is_(True), and_(by_threshold, Prediction.score >= threshold))
    return and_(by_threshold, Prediction.score < threshold)


def tell_of_anomaly(session: Session, prediction: Prediction) -> None:
    """Tell who listens that its image is anomalous: of the first version to see it, not when all are scored anew."""
    image = get_row(session, Image, prediction.image_id)
    if not listeners(session, image.project_id, "image.anomalous"):
        return
    others = select(Prediction.id).where(Prediction.image_id == image.id, Prediction.id != prediction.id).limit(1)
    if session.scalar(others) is None:
        threshold = judging_threshold(session, prediction.prompt_version_id)
        facts = {"image_id": image.id, "project_id": image.project_id, "file_name": image.file_name}
        told = {**facts, "score": prediction.score, "threshold": threshold}
        tell(session, image.project_id, "image.anomalous", told)


def is_first_visit(session: Session, version_id: int) -> bool:
    """Whether nothing tells the images of the version's project apart yet.

    No run's version is in use, nor an imported detector that learnt more than prompts, and no person's threshold.
    """
    version = get_row(session, PromptVersion, version_id)
    if version.state != "active" or version.origin == "tuned" or parts_of(version) != ["prompts"]:
        return False
    return not get_project(session, version.project_id).settings.get("threshold_chosen")


def count_scored(session: Session, version_id: int, most: int) -> int:
    """How many images a version has scored, counted up to `most`."""
    some = select(Prediction.id).where(Prediction.prompt_version_id == version_id).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def newest_scored(session: Session, version_id: int, limit: int) -> list[Image]:
    """The newest images that a version has scored."""
    return list(session.scalars(_scored_by(version_id).limit(limit)))


def awaiting_standing(session: Session, version_id: int, limit: int) -> list[Image]:
    """The same of those of which nobody has said yet whether they stand out."""
    waiting = _scored_by(version_id).where(Prediction.stands_out.is_(None)).limit(limit)
    return list(session.scalars(waiting))


def judge_standing(session: Session, version_id: int, said: Mapping[int, bool]) -> None:
    """Keep whether images (by id) stand out, unless something else tells them apart meanwhile."""
    if not is_first_visit(session, version_id):
        return
    rows = select(Prediction).where(Prediction.prompt_version_id == version_id, Prediction.image_id.in_(said))
    for prediction in session.scalars(rows.with_for_update()).all():
        new = said[prediction.image_id] and not prediction.stands_out
        prediction.stands_out = said[prediction.image_id]
        if new:
            tell_of_anomaly(session, prediction)


def _scored_by(version_id: int) -> Select[Image]:
    """Images, the newest first."""
    return (
        select(Image)
        .join(Prediction, Prediction.image_id == Image.id)
        .where(Prediction.prompt_version_id == version_id)
        .order_by(Image.id.desc())
    )
