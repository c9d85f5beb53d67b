"""Verdicts: by the threshold, or, before anything tells a project's images apart, by what stands out among them."""

from collections.abc import Mapping
from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from db.lookup import get_row
from db.projects.projects import get_project
from db.tables.core import Image, Prediction, PromptVersion
from db.training.prompt_versions import parts_of


def verdict(prediction: Prediction, threshold: float) -> Literal["normal", "anomalous"] | None:
    """What a prediction says of its image; None: it is not judged yet, for nothing tells the project's images apart."""
    if prediction.stands_out is not None:
        return "anomalous" if prediction.stands_out else None
    return "anomalous" if prediction.score >= threshold else "normal"


def has_verdict(wanted: str, threshold: float) -> ColumnElement[bool]:
    """`verdict` as SQL."""
    by_threshold = Prediction.stands_out.is_(None)
    if wanted == "anomalous":
        return or_(Prediction.stands_out.is_(True), and_(by_threshold, Prediction.score >= threshold))
    return and_(by_threshold, Prediction.score < threshold)


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
    for stands_out in (True, False):
        chosen = [image_id for image_id, value in said.items() if value is stands_out]
        session.execute(
            update(Prediction)
            .where(Prediction.prompt_version_id == version_id, Prediction.image_id.in_(chosen))
            .values(stands_out=stands_out)
            .execution_options(synchronize_session=False)
        )


def _scored_by(version_id: int) -> Select[Image]:
    """Images, the newest first."""
    return (
        select(Image)
        .join(Prediction, Prediction.image_id == Image.id)
        .where(Prediction.prompt_version_id == version_id)
        .order_by(Image.id.desc())
    )
