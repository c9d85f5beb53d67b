"""An image with what counts of it, and its status: what the lists, the counts and the REST answers are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.images.newest_annotations import count_annotated
from db.lookup import MAX_ID, get_row
from db.tables.core import Annotation, Image, Prediction
from db.tables.interest import OldPrediction
from db.tables.newest_annotations import NewestAnnotation
from db.training.prompt_versions import active_version

# unscored: the active version has not seen it; failed: scoring it failed (Image.scoring_error says why);
# to_review: scored, and nobody has said anything; corrected: someone has, whether it is scored or not.
STATUSES = ("unscored", "failed", "to_review", "corrected")
# An index holds these images.
HAS_FAILED = Image.scoring_error.is_not(None)


@dataclass(frozen=True)
class ImageRow:
    """An image, its newest annotation, its prediction by the active version, and its status (one of STATUSES)."""

    image: Image
    annotation: Annotation | None
    prediction: Prediction | None
    status: str


def get_image_row(session: Session, image_id: int) -> ImageRow:
    """The image of this id with what counts of it; raises NotFound."""
    image = get_row(session, Image, image_id)
    return image_rows(session, active_version_id(session, image.project_id), [image_id])[0]


def image_rows(session: Session, version_id: int | None, image_ids: Sequence[int]) -> list[ImageRow]:
    """The rows of these images in this order, with the predictions of this version; those that don't exist left out."""
    rows = (
        select(Image, Annotation, Prediction, status_of_image())
        .select_from(Image)
        .outerjoin(NewestAnnotation, NewestAnnotation.image_id == Image.id)
        .outerjoin(Annotation, Annotation.id == NewestAnnotation.annotation_id)
        .outerjoin(Prediction, prediction_by(version_id))
        .where(Image.id.in_(image_ids))
    )
    found = {row[0].id: ImageRow(*row) for row in session.execute(rows)}
    return [found[one] for one in image_ids if one in found]


def count_by_status(session: Session, project_id: int) -> dict[str, int]:
    """How many images of a project have which status; every status is a key.

    Counted by what indexes tell, and subtracted: looking at each image of thousands would take far longer.
    """
    version_id = active_version_id(session, project_id)
    scored, labelled = count_scored(session, version_id)
    counts = {
        "failed": _count_failed(session, project_id, version_id, has_status("failed", NewestAnnotation.label)),
        "to_review": scored - labelled,
        "corrected": count_annotated(session, project_id),
    }
    return {"unscored": _count_all(session, project_id) - sum(counts.values()), **counts}


def count_waiting(session: Session, project_id: int) -> int:
    """How many images wait for a score by the active version, corrected ones too; scoring them did not fail."""
    version_id = active_version_id(session, project_id)
    if version_id is None:
        return 0
    unscored = _count_all(session, project_id) - count_scored(session, version_id)[0]
    # Where questions see different moments, images may be scored between them.
    return max(0, unscored - _count_failed(session, project_id, version_id, Prediction.id.is_(None)))


def count_with_old_score(session: Session, project_id: int) -> int:
    """How many images of a project have a score, and none of the active version, though scoring them did not fail."""
    unscored = _unscored(session, project_id, MAX_ID)
    if unscored is None:
        return 0
    own = unscored.with_only_columns(Image.id).subquery()
    has_one = select(literal(1)).where(Prediction.image_id == own.c.id).exists()
    had_one = select(literal(1)).where(OldPrediction.image_id == own.c.id).exists()
    return session.scalar(select(func.count()).select_from(own).where(or_(has_one, had_one))) or 0


def count_scored(session: Session, version_id: int | None) -> tuple[int, int]:
    """How many images a version has scored, and how many of them someone has said something of."""
    own = select(func.count()).where(Prediction.prompt_version_id == version_id)
    return session.scalar(own) or 0, session.scalar(own.where(Prediction.label.is_not(None))) or 0


def _count_all(session: Session, project_id: int) -> int:
    return session.scalar(select(func.count()).select_from(Image).where(Image.project_id == project_id)) or 0


def _count_failed(session: Session, project_id: int, version_id: int | None, which: ColumnElement[bool]) -> int:
    failed = (
        select(func.count())
        .select_from(Image)
        .outerjoin(NewestAnnotation, NewestAnnotation.image_id == Image.id)
        .outerjoin(Prediction, prediction_by(version_id))
        .where(Image.project_id == project_id, HAS_FAILED, which)
    )
    return session.scalar(failed) or 0


def unscored_images(session: Session, project_id: int, limit: int) -> list[Image]:
    """Images that the active version has not scored and that did not fail; the newest first, as someone waits for them.

    Empty where no version is active.
    """
    unscored = _unscored(session, project_id, limit)
    return [] if unscored is None else list(session.scalars(unscored))


def _unscored(session: Session, project_id: int, limit: int) -> Select[Image] | None:
    """The query for up to `limit` of them; None where there is none.

    It asks for no more than there are, so that the last of them is not followed by a look at all other images.
    """
    limit = min(limit, count_waiting(session, project_id))
    if limit == 0:
        return None
    # Image by image: joined, PostgreSQL expects hardly any to be left, reads all and sorts them.
    by_active = prediction_by(active_version_id(session, project_id))
    prediction = select(Prediction.id).where(by_active).correlate(Image).scalar_subquery()
    return (
        select(Image)
        .where(Image.project_id == project_id, Image.scoring_error.is_(None), prediction.is_(None))
        .order_by(Image.id.desc())
        .limit(limit)
    )


def active_version_id(session: Session, project_id: int) -> int | None:
    """The id of the project's active version, None where there is none."""
    version = active_version(session, project_id)
    return None if version is None else version.id


def prediction_by(version_id: int | None) -> ColumnElement[bool]:
    """The ON clause from images to the predictions of a version; of None to none, as every prediction has one."""
    return and_(Prediction.image_id == Image.id, Prediction.prompt_version_id == version_id)


def status_of_image() -> ColumnElement[str]:
    """The status as SQL, in a query that joins `NewestAnnotation` and `prediction_by`."""
    return case(
        (NewestAnnotation.label.is_not(None), "corrected"),
        (Prediction.id.is_not(None), "to_review"),
        (HAS_FAILED, "failed"),
        else_="unscored",
    )


def has_status(status: str, label: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Whether an image has a status: what `status_of_image` says, in a form that indexes can answer.

    In a query that joins `prediction_by`; `label` is the column that says what people say of the image: the newest
    annotation's, or the prediction's copy of it.
    """
    if status == "corrected":
        return label.is_not(None)
    if status == "to_review":
        return and_(label.is_(None), Prediction.id.is_not(None))
    return and_(label.is_(None), Prediction.id.is_(None), HAS_FAILED if status == "failed" else ~HAS_FAILED)
