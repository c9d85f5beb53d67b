"""The orders of a list of images, and the place of an image in one.

A list is made of parts that follow each other: those that are scored, by what the order goes by, then those that are
not, the newest first. So each part comes out of an index in its order, and nothing needs to be sorted.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, Join, Select, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, join, outerjoin

from db.errors import BadCursor
from db.images.filters import ImageFilter
from db.images.rows import prediction_by
from db.images.verdicts import Criterion, criterion
from db.lookup import MAX_ID
from db.projects.projects import get_project
from db.tables.core import Image, Prediction
from db.tables.newest_annotations import NewestAnnotation

ORDERS = ("newest", "score", "uncertain")
_KEYS: dict[str, InstrumentedAttribute[float]] = {"score": Prediction.score, "uncertain": Prediction.expected_gain}


@dataclass(frozen=True)
class Place:
    """Where an image stands: in which part, at which key; within a part, keys and then ids go down."""

    part: int
    key: float
    image_id: int


@dataclass(frozen=True)
class Part:
    """One part of a list: `query` selects key and image id (of that column); without a key column all keys are 0."""

    number: int
    query: Select[float, int]
    image_id: InstrumentedAttribute[int]
    key: InstrumentedAttribute[float] | None = None

    def places(self, session: Session, limit: int, *, beyond: Place | None, forwards: bool = True) -> list[Place]:
        """The first places of the part, or those beyond a place in it, in the list's order or against it."""
        query = self.query
        columns: list[Any] = [self.image_id] if self.key is None else [self.key, self.image_id]
        if beyond is not None:
            here = [beyond.image_id] if self.key is None else [beyond.key, beyond.image_id]
            ours, theirs = tuple_(*columns), tuple_(*(literal(value) for value in here))
            query = query.where(ours < theirs if forwards else ours > theirs)
        query = query.order_by(*(column.desc() if forwards else column.asc() for column in columns)).limit(limit)
        return [Place(self.number, *row) for row in session.execute(query)]


def parts_of_list(
    session: Session, project_id: int, version_id: int | None, wanted: ImageFilter, order: str
) -> list[Part]:
    """The parts of a project's list in an order, first to last, with the scores of this version.

    Raises:
        NotFound: no such project.
        ValueError: an unknown order.
    """
    if order not in ORDERS:
        raise ValueError(f"There is no order {order!r}. The orders are {', '.join(ORDERS)}.")
    get_project(session, project_id)
    judged_by = Criterion()
    if wanted.verdict is not None and version_id is not None:
        judged_by = criterion(session, version_id)
    image_id = NewestAnnotation.image_id if wanted.asks_label else Image.id
    # As a sum, so that no database takes half of a project out of the index of scores to order it by something else.
    by_score: ColumnElement[float] = Prediction.score.expression
    score = by_score + 0.0
    all_images = (
        select(literal(0.0, Float), image_id)
        .select_from(_with_labels(wanted))
        .outerjoin(Prediction, prediction_by(version_id))
        .where(
            (NewestAnnotation if wanted.asks_label else Image).project_id == project_id,
            wanted.conditions(project_id, judged_by, image_id, NewestAnnotation.label, score),
        )
    )
    key = _KEYS.get(order)
    if key is None:
        return [Part(0, all_images, image_id)]
    scored = select(key, Prediction.image_id).where(
        Prediction.prompt_version_id == version_id,
        wanted.conditions(project_id, judged_by, Prediction.image_id, Prediction.label, by_score),
    )
    if wanted.asks_image:
        scored = scored.join_from(Prediction, Image, Image.id == Prediction.image_id)
    parts = []
    if wanted.may_be_scored and version_id is not None:
        parts.append(Part(0, scored, Prediction.image_id, key))
    if wanted.may_be_unscored:
        parts.append(Part(1, all_images.where(Prediction.id.is_(None)), image_id))
    return parts


def _with_labels(wanted: ImageFilter) -> Join:
    """Images with what people say of them; from the labels on where only images that have one can pass."""
    said = NewestAnnotation.image_id == Image.id
    if wanted.asks_label:
        return join(NewestAnnotation, Image, said)
    return outerjoin(Image, NewestAnnotation, said)


def walk(
    session: Session, parts: Sequence[Part], limit: int, *, start: Place | None, forwards: bool = True
) -> list[Place]:
    """Up to `limit` places of a list from its beginning (or end), or from beyond a place of it."""
    found: list[Place] = []
    for part in parts if forwards else reversed(parts):
        behind = start is not None and (part.number < start.part if forwards else part.number > start.part)
        if behind or len(found) == limit:
            continue
        beyond = start if start is not None and part.number == start.part else None
        found += part.places(session, limit - len(found), beyond=beyond, forwards=forwards)
    return found


def place_of(session: Session, image: Image, version_id: int | None, order: str) -> Place:
    """Where an image stands in its project's list, whatever the list is filtered by."""
    key = _KEYS.get(order)
    if key is None:
        return Place(0, 0.0, image.id)
    scored = select(key).where(Prediction.image_id == image.id, Prediction.prompt_version_id == version_id)
    value = session.scalars(scored).one_or_none()
    return Place(1, 0.0, image.id) if value is None else Place(0, value, image.id)


def encode_cursor(place: Place, order: str) -> str:
    """The place as text for a web address."""
    # A float's JSON form reads back as the same float, so the place is exact.
    text = json.dumps([order, place.part, place.key, place.image_id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str, order: str) -> Place:
    """The place that `encode_cursor` made text of; raises BadCursor for any other text or order."""
    try:
        made_for, part, key, image_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if made_for != order or part not in (0, 1) or not isinstance(image_id, int) or not 0 < image_id <= MAX_ID:
            raise BadCursor(cursor)
        return Place(part, float(key), image_id)
    except (ValueError, TypeError) as error:
        raise BadCursor(cursor) from error
