"""Lists of images: filtered, in an order, page by page, and what comes before and after one.

A page starts where the last one ended (its last image's place in the order), not after a number of rows: images that
are added or deleted in between make none appear twice and none disappear.
"""

from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.images.filters import ANY_IMAGE, ImageFilter
from db.images.newest_annotations import count_annotated
from db.images.order import decode_cursor, encode_cursor, parts_of_list, place_of, walk
from db.images.rows import ImageRow, active_version_id, count_by_status, image_rows
from db.lookup import get_row
from db.projects.projects import get_project
from db.tables.core import Image


@dataclass(frozen=True)
class Page:
    """Some images of a list; `next_cursor` leads to the next page, None at the end."""

    items: list[ImageRow]
    next_cursor: str | None


@dataclass(frozen=True)
class Neighbours:
    """The ids of the images before and after one in a list; None at its ends."""

    previous_id: int | None
    next_id: int | None


def list_images(
    session: Session,
    project_id: int,
    *,
    status: str | None = None,
    wanted: ImageFilter = ANY_IMAGE,
    order: str = "newest",
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """One page of a project's images.

    Args:
        session: any session.
        project_id: whose.
        status: one of STATUSES, in place of the filter's; None: as the filter says.
        wanted: which images.
        order: `newest`; `score`, the most anomalous first; `uncertain`, what to correct next, see review_queue.py.
            Images without a score come last.
        limit: images on the page, ≥ 1.
        cursor: `next_cursor` of the page before, with the same filter and order.

    Raises:
        NotFound: no such project.
        BadCursor: not a cursor of this order.
        ValueError: an unknown status or order, or a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"A page holds at least 1 image, not {limit}.")
    version_id = active_version_id(session, project_id)
    parts = parts_of_list(session, project_id, version_id, _with_status(wanted, status), order)
    start = None if cursor is None else decode_cursor(cursor, order)
    # Ids first, and only those of the page in full.
    most = limit + 1
    if _with_status(wanted, status) == ImageFilter(status="unscored"):
        # No more than there are, so that the last of a few is not followed by a look at all other images.
        most = min(most, max(0, count_by_status(session, project_id)["unscored"]))
    found = walk(session, parts, most, start=start)
    shown = found[:limit]
    next_cursor = encode_cursor(shown[-1], order) if len(found) > limit else None
    return Page(image_rows(session, version_id, [place.image_id for place in shown]), next_cursor)


def count_images(session: Session, project_id: int, wanted: ImageFilter = ANY_IMAGE) -> int:
    """How many images of a project pass a filter. Raises NotFound for a project that there is not."""
    if wanted.label is not None and wanted == ImageFilter(label=wanted.label):
        get_project(session, project_id)
        return count_annotated(session, project_id, wanted.label)
    # Any order: its parts hold each image once. Where scores don't matter, that of one part needs no prediction.
    order = "score" if wanted.asks_prediction else "newest"
    parts = parts_of_list(session, project_id, active_version_id(session, project_id), wanted, order)
    return sum(session.scalar(select(func.count()).select_from(part.query.subquery())) or 0 for part in parts)


def neighbours(
    session: Session,
    image_id: int,
    *,
    status: str | None = None,
    wanted: ImageFilter = ANY_IMAGE,
    order: str = "newest",
) -> Neighbours:
    """What comes before and after an image in the list of its project.

    The image itself need not pass the filter: after it was corrected, the next one to review is found all the same.

    Raises:
        NotFound: no such image.
        ValueError: an unknown status or order.
    """
    image = get_row(session, Image, image_id)
    version_id = active_version_id(session, image.project_id)
    parts = parts_of_list(session, image.project_id, version_id, _with_status(wanted, status), order)
    here = place_of(session, image, version_id, order)
    after = walk(session, parts, 1, start=here)
    before = walk(session, parts, 1, start=here, forwards=False)
    return Neighbours(before[0].image_id if before else None, after[0].image_id if after else None)


def _with_status(wanted: ImageFilter, status: str | None) -> ImageFilter:
    return wanted if status is None else replace(wanted, status=status)
