"""Of each image the annotation that counts, kept in a row of its own: writing it, and asking for all of a project's."""

from collections.abc import Collection

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session, joinedload

from db.tables.core import Annotation, Image, Prediction
from db.tables.newest_annotations import NewestAnnotation

# Ids in one statement; databases limit how many values it may have.
_AT_ONCE = 500


def let_count(session: Session, image: Image, annotation: Annotation) -> None:
    """This is the image's newest annotation from now on; in a writing session that locks the image."""
    counting = session.get(NewestAnnotation, image.id)
    if counting is None:
        counting = NewestAnnotation(image_id=image.id, project_id=image.project_id)
        session.add(counting)
    counting.annotation_id, counting.label, counting.learnt = annotation.id, annotation.label, False
    counting.marked = annotation.mask_blob_key is not None
    of_image = update(Prediction).where(Prediction.image_id == image.id)
    session.execute(of_image.values(label=annotation.label))
    session.flush()


def mark_learnt(session: Session, project_id: int, annotation_ids: Collection[int]) -> None:
    """A run succeeded with these in its frozen input: in its transaction. What was said anew meanwhile still waits."""
    waits = NewestAnnotation.project_id == project_id, ~NewestAnnotation.learnt
    found = session.scalars(select(NewestAnnotation.annotation_id).where(*waits))
    learnt = sorted(set(found).intersection(annotation_ids))
    for start in range(0, len(learnt), _AT_ONCE):
        some = NewestAnnotation.annotation_id.in_(learnt[start : start + _AT_ONCE])
        session.execute(update(NewestAnnotation).where(some).values(learnt=True))


def labels_of(session: Session, image_ids: Collection[int]) -> dict[int, str]:
    """What the annotations that count say of these images, by image; those of which nobody has said anything left out.

    In a writing session: on PostgreSQL whoever annotates one of them waits until it ends, and then finds what it wrote.
    """
    own = Image.id.in_(image_ids)
    session.execute(select(Image.id).where(own).order_by(Image.id).with_for_update(key_share=True))
    labels = select(NewestAnnotation.image_id, NewestAnnotation.label)
    return dict(session.execute(labels.where(NewestAnnotation.image_id.in_(image_ids))).tuples().all())


def newest_of_images(project_id: int) -> Select[Annotation]:
    """The query for the revision that counts of every annotated image of a project."""
    return (
        select(Annotation)
        .join(NewestAnnotation, NewestAnnotation.annotation_id == Annotation.id)
        .where(NewestAnnotation.project_id == project_id)
    )


def newest_ids(session: Session, project_id: int) -> list[int]:
    """The ids of the annotations that count, by image, but for those of golden ones: what a run freezes."""
    own = select(NewestAnnotation.annotation_id).where(NewestAnnotation.project_id == project_id)
    learnt = own.join(Image, Image.id == NewestAnnotation.image_id).where(Image.golden.is_(False))
    return list(session.scalars(learnt.order_by(NewestAnnotation.image_id)))


def last_annotations(session: Session, project_id: int, limit: int) -> list[Annotation]:
    """Of the annotations to learn from those that were made last, the last one first; with their images."""
    newest = newest_of_images(project_id).join(Image, Image.id == NewestAnnotation.image_id)
    last = newest.where(Image.golden.is_(False)).order_by(NewestAnnotation.annotation_id.desc()).limit(limit)
    return list(session.scalars(last.options(joinedload(Annotation.image))))


def count_annotated(session: Session, project_id: int, label: str | None = None) -> int:
    """How many images of a project someone has said something of; with a label, how many are called that."""
    own = select(func.count()).select_from(NewestAnnotation).where(NewestAnnotation.project_id == project_id)
    return session.scalar(own if label is None else own.where(NewestAnnotation.label == label)) or 0


def count_to_learn_from(session: Session, project_id: int) -> int:
    """How many of these may be learnt from."""
    golden = (
        select(func.count())
        .select_from(Image)
        .join(NewestAnnotation, NewestAnnotation.image_id == Image.id)
        .where(Image.project_id == project_id, Image.golden)
    )
    return count_annotated(session, project_id) - (session.scalar(golden) or 0)
