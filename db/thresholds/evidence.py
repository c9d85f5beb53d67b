"""What thresholds are calibrated on: the active version's scores and maps beside what people say of the images."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.images.annotations import says_where
from db.images.newest_annotations import newest_of_images
from db.tables.core import Annotation, Image, Prediction
from db.tables.newest_annotations import NewestAnnotation


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


def score_windows(session: Session, project_id: int, version_id: int, limit: int) -> tuple[list[float], list[float]]:
    """A version's scores of the images that were there at the project's newest annotation, and of those added since.

    Of each the newest `limit`. Both are empty where nobody has annotated anything.
    """
    last = newest_of_images(project_id).order_by(NewestAnnotation.annotation_id.desc()).limit(1)
    newest = session.scalars(last).one_or_none()
    if newest is None:
        return [], []
    scores = (
        select(Prediction.score)
        .join(Image, Image.id == Prediction.image_id)
        .where(Image.project_id == project_id, Prediction.prompt_version_id == version_id)
        .order_by(Image.created_at.desc(), Image.id.desc())
        .limit(limit)
    )
    until = newest.created_at
    before, since = (scores.where(when) for when in (Image.created_at <= until, Image.created_at > until))
    return list(session.scalars(before)), list(session.scalars(since))


def labelled_scores(session: Session, version_id: int) -> list[tuple[float, str]]:
    """Score and label of each image of its project that a version has scored and someone has labelled."""
    labelled = Prediction.prompt_version_id == version_id, Prediction.label.is_not(None)
    rows = session.execute(select(Prediction.score, Prediction.label).where(*labelled))
    return [(score, label) for score, label in rows if label is not None]


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
        .order_by(NewestAnnotation.annotation_id.desc())
        .limit(limit)
    )
    return [LabelledMap(*row) for row in session.execute(rows)]


def annotations_state(session: Session, project_id: int) -> tuple[int, int]:
    """Another pair of numbers whenever an image of a project was annotated, or an annotated one was deleted."""
    own = select(func.max(NewestAnnotation.annotation_id), func.count())
    newest, count = session.execute(own.where(NewestAnnotation.project_id == project_id)).one()
    return newest or 0, count
