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
    version_id = active_version_id(session, project_id)
    for ids in _chunks(session, project_id) if image_ids is None else _those(session, project_id, image_ids):
        yield from image_rows(session, version_id, ids)


def _chunks(session: Session, project_id: int) -> Iterator[list[int]]:
    """The ids of a project's images, as they are asked for."""
    own = select(Image.id).where(Image.project_id == project_id).order_by(Image.id).limit(_CHUNK)
    last = 0
    while ids := list(session.scalars(own.where(Image.id > last))):
        yield ids
        last = ids[-1]


def _those(session: Session, project_id: int, image_ids: Sequence[int]) -> Iterator[list[int]]:
    """Those of these ids that are of the project's images."""
    wanted = sorted(set(image_ids))
    for start in range(0, len(wanted), _CHUNK):
        own = select(Image.id).where(Image.project_id == project_id, Image.id.in_(wanted[start : start + _CHUNK]))
        yield list(session.scalars(own.order_by(Image.id)))


def file_names(session: Session, project_id: int) -> list[tuple[int, str]]:
    """Id and file name of every image of a project."""
    rows = select(Image.id, Image.file_name).where(Image.project_id == project_id).order_by(Image.id)
    return [(image_id, name) for image_id, name in session.execute(rows)]
