"""An image with what counts of it, and its status: what the lists, the counts and the REST answers are made of."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, literal, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.lookup import get_row
from db.tables.core import Annotation, Image, Prediction
from db.tables.interest import OldPrediction
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
    revision = aliased(Annotation)
    newest = (
        select(revision.id)
        .where(revision.image_id == Image.id)
        .order_by(revision.revision.desc())
        .limit(1)
        .correlate(Image)
        .scalar_subquery()
    )
    rows = (
        select(Image, Annotation, Prediction, status_of_image())
        .select_from(Image)
        .outerjoin(Annotation, Annotation.id == newest)
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
    own = select(func.count()).select_from(Image).where(Image.project_id == project_id)
    scored = select(func.count()).where(Prediction.prompt_version_id == version_id)
    # An image has several annotations, and is counted once: as corrected, and as scored where it is.
    corrected = (
        select(func.count(Annotation.image_id.distinct()), func.count(Prediction.image_id.distinct()))
        .join(Image, Image.id == Annotation.image_id)
        .outerjoin(Prediction, prediction_by(version_id))
        .where(Image.project_id == project_id)
    )
    failed = own.outerjoin(Prediction, prediction_by(version_id)).where(has_status("failed", Image.id))
    all_corrected, scored_of_them = session.execute(corrected).one()
    counts = {
        "failed": session.scalar(failed) or 0,
        "to_review": (session.scalar(scored) or 0) - scored_of_them,
        "corrected": all_corrected,
    }
    unscored = (session.scalar(own) or 0) - sum(counts.values())
    return {"unscored": unscored, **counts}


def count_with_old_score(session: Session, project_id: int) -> int:
    """How many images of a project have a score, and none of the active version, though scoring them did not fail."""
    version_id = active_version_id(session, project_id)
    own = aliased(Prediction)
    scored = select(literal(1)).where(own.image_id == Image.id, own.prompt_version_id == version_id).exists()
    earlier = union(select(Prediction.image_id), select(OldPrediction.image_id)).subquery()
    old = (
        select(func.count())
        .select_from(Image)
        .where(
            Image.project_id == project_id,
            Image.scoring_error.is_(None),
            ~scored,
            Image.id.in_(select(earlier.c.image_id)),
        )
    )
    return session.scalar(old) or 0


def unscored_images(session: Session, project_id: int, limit: int) -> list[Image]:
    """Images that the active version has not scored and that did not fail; the newest first, as someone waits for them.

    Empty where no version is active.
    """
    version_id = active_version_id(session, project_id)
    if version_id is None:
        return []
    unscored = (
        select(Image)
        .outerjoin(Prediction, prediction_by(version_id))
        .where(Image.project_id == project_id, Image.scoring_error.is_(None), Prediction.id.is_(None))
        .order_by(Image.id.desc())
        .limit(limit)
    )
    return list(session.scalars(unscored))


def active_version_id(session: Session, project_id: int) -> int | None:
    """The id of the project's active version, None where there is none."""
    version = active_version(session, project_id)
    return None if version is None else version.id


def prediction_by(version_id: int | None) -> ColumnElement[bool]:
    """The ON clause from images to the predictions of a version; of None to none, as every prediction has one."""
    return and_(Prediction.image_id == Image.id, Prediction.prompt_version_id == version_id)


def status_of_image() -> ColumnElement[str]:
    """The status as SQL, in a query that joins `prediction_by`."""
    return case(
        (_annotated(Image.id), "corrected"),
        (Prediction.id.is_not(None), "to_review"),
        (HAS_FAILED, "failed"),
        else_="unscored",
    )


def has_status(status: str, image_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Whether an image (by this column) has a status: what `status_of_image` says, in a form that indexes can answer.

    In a query that joins `prediction_by`.
    """
    if status == "corrected":
        return _annotated(image_id)
    unseen = ~_annotated(image_id)
    if status == "to_review":
        return and_(unseen, Prediction.id.is_not(None))
    return and_(unseen, Prediction.id.is_(None), HAS_FAILED if status == "failed" else ~HAS_FAILED)


def _annotated(image_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return select(literal(1)).where(Annotation.image_id == image_id).correlate(image_id.class_).exists()
