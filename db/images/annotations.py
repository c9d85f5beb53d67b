"""Annotations: what people say of an image, in append-only revisions, of which the newest counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, case, func, select, true
from sqlalchemy.orm import Session, joinedload

from db.clock import shared_now
from db.errors import Conflict
from db.lookup import get_row
from db.tables.core import ANNOTATION_SOURCES, LABELS, Annotation, Image, TuningRun

# Of rows that earlier versions wrote, by clocks of machines that differ by no more.
CLOCK_DIFFERENCE = timedelta(hours=1)


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
    get_row(session, Image, image_id, lock=True)
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
    return annotation


def newest_annotation(session: Session, image_id: int) -> Annotation | None:
    """The revision that counts, if anyone has said anything."""
    revisions = select(Annotation).where(Annotation.image_id == image_id)
    return session.scalars(revisions.order_by(Annotation.revision.desc()).limit(1)).one_or_none()


def newest_per_image(session: Session, project_id: int) -> list[Annotation]:
    """The revision that counts of every annotated image of a project, by image; with the images."""
    newest = newest_of_images(project_id).order_by(Annotation.image_id).options(joinedload(Annotation.image))
    return list(session.scalars(newest))


def newest_to_learn_from(session: Session, project_id: int) -> list[Annotation]:
    """The same of the images that runs may learn from: of all but the golden ones."""
    newest = newest_of_images(project_id, learnt=True).order_by(Annotation.image_id)
    return list(session.scalars(newest.options(joinedload(Annotation.image))))


def newest_annotated(session: Session, project_id: int, limit: int) -> list[str]:
    """The keys (`Image.seen_key`) of images to learn from of a project that were annotated last, the last one first."""
    images = (
        select(Image)
        .join(Annotation, Annotation.image_id == Image.id)
        .where(Image.project_id == project_id, Image.golden.is_(False))
        .group_by(Image.id)
        .order_by(func.max(Annotation.id).desc())
        .limit(limit)
    )
    return [image.seen_key for image in session.scalars(images)]


def count_labels(session: Session, project_id: int) -> LabelCounts:
    """How many images of a project that runs learn from are corrected in which way, by their newest annotations."""
    kind = case((Annotation.label == "normal", "normal"), (says_where(), "marked"), else_="unmarked")
    newest = newest_of_images(project_id, learnt=True).with_only_columns(kind.label("kind")).subquery()
    rows = session.execute(select(newest.c.kind, func.count()).group_by(newest.c.kind)).all()
    counts = {row[0]: row[1] for row in rows}
    return LabelCounts(*(counts.get(one, 0) for one in ("normal", "marked", "unmarked")))


def get_annotations(session: Session, ids: list[int]) -> list[Annotation]:
    """The annotations of these ids, in their order, with their images: a run's frozen input.

    Those whose image was deleted in the meantime are left out.
    """
    rows = select(Annotation).where(Annotation.id.in_(ids)).options(joinedload(Annotation.image))
    found = {row.id: row for row in session.scalars(rows)}
    return [found[one] for one in ids if one in found]


def waiting_corrections(session: Session, project_id: int) -> Waiting:
    """The newest annotations that are in no succeeded run's frozen input; golden images wait for none."""
    newest = session.scalars(newest_of_images(project_id, learnt=True))
    waiting = {annotation.id: annotation.created_at for annotation in newest}
    runs = (
        select(TuningRun.training_annotation_ids, TuningRun.holdout_annotation_ids, TuningRun.created_at)
        .where(TuningRun.project_id == project_id, TuningRun.state == "succeeded")
        .order_by(TuningRun.id.desc())
        .execution_options(yield_per=10)
    )
    for training, holdout, created_at in session.execute(runs):
        if not waiting or created_at < min(waiting.values()) - CLOCK_DIFFERENCE:
            break  # this run and all earlier ones are older than what still waits
        for annotation_id in (*training, *holdout):
            waiting.pop(annotation_id, None)
    return Waiting(len(waiting), min(waiting.values(), default=None))


def says_where() -> ColumnElement[bool]:
    """As SQL: whether an annotation says of every pixel what it is: normal, or anomalous with a mask."""
    return (Annotation.label == "normal") | Annotation.mask_blob_key.is_not(None)


def newest_of_images(project_id: int, *, learnt: bool = False) -> Select[Annotation]:
    """The query for the revision that counts of every annotated image of a project.

    Args:
        project_id: whose.
        learnt: only of images that may be learnt from: not of golden ones.
    """
    newest = (
        select(Annotation.image_id, func.max(Annotation.revision).label("revision"))
        .join(Image, Image.id == Annotation.image_id)
        .where(Image.project_id == project_id, Image.golden.is_(False) if learnt else true())
        .group_by(Annotation.image_id)
        .subquery()
    )
    return select(Annotation).join(
        newest, (newest.c.image_id == Annotation.image_id) & (newest.c.revision == Annotation.revision)
    )
