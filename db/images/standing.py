"""What stands out among a project's images, kept: which were scored, which wait to be compared, and what came of it."""

from collections.abc import Mapping

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from db.images.result_events import tell_of_standing
from db.images.verdicts import is_first_visit
from db.tables.core import Image, Prediction


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
            tell_of_standing(session, prediction)


def _scored_by(version_id: int) -> Select[Image]:
    """Images, the newest first."""
    return (
        select(Image)
        .join(Prediction, Prediction.image_id == Image.id)
        .where(Prediction.prompt_version_id == version_id)
        .order_by(Image.id.desc())
    )
