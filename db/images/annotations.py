"""Annotations: what people say of an image, in append-only revisions, of which the newest counts."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from db.clock import shared_now
from db.errors import Conflict
from db.images.newest_annotations import let_count, newest_of_images
from db.lookup import get_row
from db.tables.core import ANNOTATION_SOURCES, LABELS, Annotation, Image
from db.tables.newest_annotations import NewestAnnotation

# Ids in one question; databases limit how many values it may have.
_AT_ONCE = 500


@dataclass(frozen=True)
class Waiting:
    """Corrections that no run has learnt from: how many, and when the first of them was made."""

    count: int
    oldest_at: datetime | None


@dataclass(frozen=True)
class LabelCounts:
    """Corrected images of a project: called normal, anomalous with a mask, and anomalous nobody said where."""

    normal: int
    marked: int
    unmarked: int


def add_annotation(
    session: Session,
    *,
    image_id: int,
    label: str,
    mask_blob_key: str | None,
    area: int,
    source: str,
    author: str,
    prompt_version_id: int | None,
    expected_revision: int | None = None,
) -> Annotation:
    """Append a revision.

    Args:
        session: a writing session.
        image_id: which image.
        label: `normal` or `anomalous`.
        mask_blob_key: 8-bit PNG, 0 or 255, at the image's size; None for a normal image, or one not marked.
        area: anomalous pixels.
        source: one of `ANNOTATION_SOURCES`.
        author: who says so.
        prompt_version_id: whose prediction was corrected or accepted, if any.
        expected_revision: the newest one that the author has seen (0: none); None: whichever it is.

    Raises:
        NotFound: no such image.
        Conflict: another revision than the expected one is the newest.
        ValueError: an unknown label or source, or a normal image with a mask.
    """
    if label not in LABELS or source not in ANNOTATION_SOURCES:
        raise ValueError(
            f"An annotation is one of {LABELS} and from one of {ANNOTATION_SOURCES}, not {label}/{source}."
        )
    if label == "normal" and (mask_blob_key is not None or area):
        raise ValueError("A normal image has no mask and no anomalous pixels.")
    # On PostgreSQL those who annotate the same image queue here; on SQLite a writing session is the only one.
    image = get_row(session, Image, image_id, lock=True)
    newest = session.scalar(select(func.max(Annotation.revision)).where(Annotation.image_id == image_id)) or 0
    if expected_revision is not None and expected_revision != newest:
        raise Conflict(newest, expected_revision)
    annotation = Annotation(
        image_id=image_id,
        revision=newest + 1,
        label=label,
        mask_blob_key=mask_blob_key,
        area=area,
        source=source,
        author=author,
        prompt_version_id=prompt_version_id,
        created_at=shared_now(session),
    )
    session.add(annotation)
    session.flush()
    let_count(session, image, annotation)
    return annotation


def newest_annotation(session: Session, image_id: int) -> Annotation | None:
    """The revision that counts, if anyone has said anything."""
    revisions = select(Annotation).where(Annotation.image_id == image_id)
    return session.scalars(revisions.order_by(Annotation.revision.desc()).limit(1)).one_or_none()


def newest_per_image(session: Session, project_id: int) -> list[Annotation]:
    """The revision that counts of every annotated image of a project, by image; with the images."""
    newest = newest_of_images(project_id).order_by(NewestAnnotation.image_id).options(joinedload(Annotation.image))
    return list(session.scalars(newest))


def newest_annotated(session: Session, project_id: int, limit: int) -> list[str]:
    """The keys (`Image.seen_key`) of images to learn from of a project that were annotated last, the last one first."""
    images = select(Image).join(NewestAnnotation, NewestAnnotation.image_id == Image.id)
    own = images.where(NewestAnnotation.project_id == project_id, Image.golden.is_(False))
    last = own.order_by(NewestAnnotation.annotation_id.desc()).limit(limit)
    return [image.seen_key for image in session.scalars(last)]


def count_labels(session: Session, project_id: int) -> LabelCounts:
    """How many images of a project that runs learn from are corrected in which way, by their newest annotations."""
    what = NewestAnnotation.label, NewestAnnotation.marked
    every = select(*what, func.count()).where(NewestAnnotation.project_id == project_id).group_by(*what)
    images = every.join(Image, Image.id == NewestAnnotation.image_id)
    golden = images.where(Image.project_id == project_id, Image.golden)
    counts: Counter[tuple[str, bool]] = Counter()
    for label, marked, count in session.execute(every):
        counts[label, marked] += count
    for label, marked, count in session.execute(golden):  # few, and an index holds them
        counts[label, marked] -= count
    return LabelCounts(*(counts[one] for one in (("normal", False), ("anomalous", True), ("anomalous", False))))


def get_annotations(session: Session, ids: list[int]) -> list[Annotation]:
    """The annotations of these ids, in their order, with their images: a run's frozen input.

    Those whose image was deleted in the meantime are left out.
    """
    found: dict[int, Annotation] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = select(Annotation).where(Annotation.id.in_(ids[start : start + _AT_ONCE]))
        found |= {row.id: row for row in session.scalars(some.options(joinedload(Annotation.image)))}
    return [found[one] for one in ids if one in found]


def waiting_corrections(session: Session, project_id: int) -> Waiting:
    """The newest annotations that are in no succeeded run's frozen input; golden images wait for none."""
    made = (
        select(func.count(), func.min(Annotation.created_at))
        .select_from(NewestAnnotation)
        .join(Annotation, NewestAnnotation.annotation_id == Annotation.id)
        .join(Image, Image.id == NewestAnnotation.image_id)
        .where(NewestAnnotation.project_id == project_id, ~NewestAnnotation.learnt, Image.golden.is_(False))
    )
    return Waiting(*session.execute(made).one())


def says_where() -> ColumnElement[bool]:
    """As SQL: whether an annotation says of every pixel what it is: normal, or anomalous with a mask."""
    return (Annotation.label == "normal") | Annotation.mask_blob_key.is_not(None)
