"""The golden set: corrected images that nothing is learnt from, and that every candidate is held to."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from db.errors import NotCorrected
from db.images.annotations import newest_annotation, newest_of_images
from db.lookup import get_row
from db.tables.core import Annotation, Image


def set_golden(session: Session, image_id: int, golden: bool) -> Image:
    """Add a corrected image to the golden set of its project, or take any out of it.

    Runs that have frozen their input learn from it no more either, as long as they have not begun.

    Raises:
        NotFound: no such image.
        NotCorrected: it is to be added, and nobody has said what is right.
    """
    image = get_row(session, Image, image_id, lock=True)
    if golden and newest_annotation(session, image_id) is None:
        raise NotCorrected(image_id)
    image.golden = golden
    session.flush()
    return image


def golden_annotations(session: Session, project_id: int) -> list[Annotation]:
    """What people say of the golden images of a project: the newest revisions, by image, with the images."""
    newest = newest_of_images(project_id).join(Annotation.image).where(Image.golden)
    return list(session.scalars(newest.order_by(Annotation.image_id).options(joinedload(Annotation.image))))


def count_golden(session: Session, project_id: int) -> int:
    """How many images the golden set of a project has."""
    return session.scalar(select(func.count()).where(Image.project_id == project_id, Image.golden)) or 0
