"""Lists of images: with a status, in an order, page by page, and what comes before and after one.

A page starts where the last one ended (its last image's place in the order), not after a number of rows: images that
are added or deleted in between make none appear twice and none disappear.
"""

import base64
import json
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Float, Select, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from db.errors import BadCursor
from db.image_rows import STATUSES, ImageRow, active_version_id, image_rows, prediction_by, status_of_image
from db.lookup import MAX_ID, get_row
from db.models import Image, Prediction
from db.projects import DEFAULT_SETTINGS, get_project

ORDERS = ("newest", "score", "uncertain")
# The place of images without a score: behind all scores, which are -1–0 (negated) or 0–1 (distances) there.
_UNSCORED = 2.0


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


@dataclass(frozen=True)
class _Place:
    """Where an image stands: lists go up by key and, where that is equal, down by id."""

    key: float
    image_id: int


def list_images(
    session: Session,
    project_id: int,
    *,
    status: str | None = None,
    order: str = "newest",
    limit: int = 50,
    cursor: str | None = None,
) -> Page:
    """One page of a project's images.

    Args:
        session: any session.
        project_id: whose.
        status: one of STATUSES; None: all.
        order: `newest`; `score`, the most anomalous first; `uncertain`, the nearest to the threshold first. Images
            without a score come last.
        limit: images on the page, ≥ 1.
        cursor: `next_cursor` of the page before, with the same status and order.

    Raises:
        NotFound: no such project.
        BadCursor: not a cursor of this order.
        ValueError: an unknown status or order, or a limit below 1.
    """
    if limit < 1:
        raise ValueError(f"A page holds at least 1 image, not {limit}.")
    version_id = active_version_id(session, project_id)
    key = _sort_key(session, project_id, order)
    places = _places(project_id, version_id, status, key)
    if cursor is not None:
        places = places.where(_after(key, _decode(cursor, order)))
    # Ids first, and only those of the page in full: sorting thousands of whole rows would cost far more.
    found = [_Place(*row) for row in session.execute(places.order_by(*_forwards(key)).limit(limit + 1))]
    shown = found[:limit]
    next_cursor = _encode(shown[-1], order) if len(found) > limit else None
    return Page(image_rows(session, version_id, [place.image_id for place in shown]), next_cursor)


def neighbours(session: Session, image_id: int, *, status: str | None = None, order: str = "newest") -> Neighbours:
    """What comes before and after an image in the list of its project.

    The image itself need not have the status: after it was corrected, the next one to review is found all the same.

    Raises:
        NotFound: no such image.
        ValueError: an unknown status or order.
    """
    image = get_row(session, Image, image_id)
    version_id = active_version_id(session, image.project_id)
    key = _sort_key(session, image.project_id, order)
    own = session.execute(_places(image.project_id, version_id, None, key).where(Image.id == image_id)).one()
    here = _Place(*own)
    listed = _places(image.project_id, version_id, status, key)
    after = session.execute(listed.where(_after(key, here)).order_by(*_forwards(key)).limit(1)).first()
    before = session.execute(listed.where(_before(key, here)).order_by(*_backwards(key)).limit(1)).first()
    return Neighbours(before.id if before else None, after.id if after else None)


def _sort_key(session: Session, project_id: int, order: str) -> ColumnElement[float] | None:
    """What the order goes up by; None where the id alone decides, for which an index is enough."""
    project = get_project(session, project_id)
    if order == "newest":
        return None
    if order == "score":
        return func.coalesce(-Prediction.score, _UNSCORED, type_=Float)
    if order == "uncertain":
        threshold = project.settings.get("threshold", DEFAULT_SETTINGS["threshold"])
        return func.coalesce(func.abs(Prediction.score - threshold, type_=Float), _UNSCORED, type_=Float)
    raise ValueError(f"There is no order {order!r}. The orders are {', '.join(ORDERS)}.")


def _places(
    project_id: int, version_id: int | None, status: str | None, key: ColumnElement[float] | None
) -> Select[float, int]:
    places = (
        select(literal(0.0) if key is None else key, Image.id)
        .outerjoin_from(Image, Prediction, prediction_by(version_id))
        .where(Image.project_id == project_id)
    )
    if status is None:
        return places
    if status not in STATUSES:
        raise ValueError(f"There is no status {status!r}. The statuses are {', '.join(STATUSES)}.")
    return places.where(status_of_image() == status)


def _after(key: ColumnElement[float] | None, place: _Place) -> ColumnElement[bool]:
    if key is None:
        return Image.id < place.image_id
    return or_(key > place.key, and_(key == place.key, Image.id < place.image_id))


def _before(key: ColumnElement[float] | None, place: _Place) -> ColumnElement[bool]:
    if key is None:
        return Image.id > place.image_id
    return or_(key < place.key, and_(key == place.key, Image.id > place.image_id))


def _forwards(key: ColumnElement[float] | None) -> list[ColumnElement[float] | ColumnElement[int]]:
    return [Image.id.desc()] if key is None else [key.asc(), Image.id.desc()]


def _backwards(key: ColumnElement[float] | None) -> list[ColumnElement[float] | ColumnElement[int]]:
    return [Image.id.asc()] if key is None else [key.desc(), Image.id.asc()]


def _encode(place: _Place, order: str) -> str:
    # A float's JSON form reads back as the same float, so the place is exact.
    return base64.urlsafe_b64encode(json.dumps([order, place.key, place.image_id]).encode()).decode().rstrip("=")


def _decode(cursor: str, order: str) -> _Place:
    try:
        made_for, key, image_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if made_for != order or not isinstance(image_id, int) or not 0 < image_id <= MAX_ID:
            raise BadCursor(cursor)
        return _Place(float(key), image_id)
    except (ValueError, TypeError) as error:
        raise BadCursor(cursor) from error
