"""What leaves the project, and what finds its way back: all rows of a project, and its images by file name."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.images.rows import ImageRow, active_version_id, image_rows
from db.tables.core import Image

_CHUNK = 500


def all_rows(session: Session, project_id: int, image_ids: Sequence[int] | None = None) -> Iterator[ImageRow]:
    """The images of a project with what counts of them, oldest first; None: all of them.

    Ids of another project are passed over.
    """
    ids = list(session.scalars(select(Image.id).where(Image.project_id == project_id).order_by(Image.id)))
    if image_ids is not None:
        wanted = set(image_ids)
        ids = [one for one in ids if one in wanted]
    version_id = active_version_id(session, project_id)
    for start in range(0, len(ids), _CHUNK):
        yield from image_rows(session, version_id, ids[start : start + _CHUNK])


def file_names(session: Session, project_id: int) -> list[tuple[int, str]]:
    """Id and file name of every image of a project."""
    rows = select(Image.id, Image.file_name).where(Image.project_id == project_id).order_by(Image.id)
    return [(image_id, name) for image_id, name in session.execute(rows)]
