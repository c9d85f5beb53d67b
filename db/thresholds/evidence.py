"""What thresholds are calibrated on: the active version's scores and maps beside what people say of the images."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.images.annotations import newest_of_images, says_where
from db.tables.core import Annotation, Image, Prediction


@dataclass(frozen=True)
class LabelledMap:
    """Where the map of a prediction lies, the mask that counts, and the region of interest by which it was made.

    Without a mask the image is normal, all of it; without a region all of it counts.
    """

    map_blob_key: str
    mask_blob_key: str | None
    interest_blob_key: str | None
    height: int
    width: int


def all_scores(session: Session, version_id: int) -> list[float]:
    """The scores of a version, of all images, ascending."""
    scores = select(Prediction.score).where(Prediction.prompt_version_id == version_id).order_by(Prediction.score)
    return list(session.scalars(scores))


def score_windows(session: Session, project_id: int, version_id: int, limit: int) -> tuple[list[float], list[float]]:
    """A version's scores of the images that were there at the project's newest annotation, and of those added since.

    Of each the newest `limit`. Both are empty where nobody has annotated anything.
    """
    newest = session.scalar(
        select(func.max(Annotation.created_at))
        .join(Image, Image.id == Annotation.image_id)
        .where(Image.project_id == project_id)
    )
    if newest is None:
        return [], []
    scores = (
        select(Prediction.score)
        .join(Image, Image.id == Prediction.image_id)
        .where(Prediction.prompt_version_id == version_id)
        .order_by(Image.created_at.desc())
        .limit(limit)
    )
    before, since = (scores.where(when) for when in (Image.created_at <= newest, Image.created_at > newest))
    return list(session.scalars(before)), list(session.scalars(since))


def labelled_scores(session: Session, project_id: int, version_id: int) -> list[tuple[float, str]]:
    """Score and label of each image of a project that the version has scored and someone has labelled."""
    rows = (
        newest_of_images(project_id)
        .join(Prediction, Prediction.image_id == Annotation.image_id)
        .where(Prediction.prompt_version_id == version_id)
        .with_only_columns(Prediction.score, Annotation.label)
    )
    return [(score, label) for score, label in session.execute(rows)]


def labelled_maps(session: Session, project_id: int, version_id: int, limit: int) -> list[LabelledMap]:
    """Map and mask of such images, those annotated last first; not of those that are anomalous nobody said where."""
    rows = (
        newest_of_images(project_id)
        .join(Prediction, Prediction.image_id == Annotation.image_id)
        .join(Image, Image.id == Annotation.image_id)
        .where(Prediction.prompt_version_id == version_id, says_where())
        .with_only_columns(
            *(Prediction.map_blob_key, Annotation.mask_blob_key, Prediction.interest_blob_key),
            *(Image.height, Image.width),
        )
        .order_by(Annotation.id.desc())
        .limit(limit)
    )
    return [LabelledMap(*row) for row in session.execute(rows)]


def annotations_state(session: Session) -> tuple[int, int]:
    """Another pair of numbers whenever an annotation was added or deleted, of whichever project."""
    newest, count = session.execute(select(func.max(Annotation.id), func.count(Annotation.id))).one()
    return newest or 0, count
