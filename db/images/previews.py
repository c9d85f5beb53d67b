"""Previews: what the corrections so far make of images, at most one for each, made while a version was active."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import Session

from db.tables.core import Image, Preview, PromptVersion
from db.training.prompt_versions import active_version


@dataclass(frozen=True)
class NewPreview:
    """What is to be kept of one image.

    Attributes:
        image_id: which.
        score: 0–1.
        map_blob_key: float32 .npy, 0–1; its bytes are in the store.
    """

    image_id: int
    score: float
    map_blob_key: str


def save_previews(
    session: Session, project_id: int, version_id: int, previews: Sequence[NewPreview], corrections: int
) -> list[str]:
    """Keep previews, in place of earlier ones of the same images; nothing, where another version is active by now.

    Images that were deleted meanwhile are passed over.

    Args:
        session: a writing session that holds the maps' blobs.
        project_id: whose images.
        version_id: the version that was active when they were made.
        previews: what is kept.
        corrections: how many they were learnt from.

    Returns:
        The keys of maps that were replaced, or are not named after all: give them to `Store.delete_blobs` after this
        transaction.
    """
    active = active_version(session, project_id)
    if active is None or active.id != version_id:
        return [one.map_blob_key for one in previews]
    ids = [one.image_id for one in previews]
    replaced = _delete(session, Preview.image_id.in_(ids))
    there = set(session.scalars(select(Image.id).where(Image.id.in_(ids))))
    session.add_all(
        Preview(
            image_id=one.image_id,
            project_id=project_id,
            prompt_version_id=version_id,
            score=one.score,
            map_blob_key=one.map_blob_key,
            corrections=corrections,
        )
        for one in previews
        if one.image_id in there
    )
    session.flush()
    return [*replaced, *(one.map_blob_key for one in previews if one.image_id not in there)]


def drop_previews(session: Session, project_id: int) -> list[str]:
    """Delete a project's previews; the keys of their maps, as from `save_previews`."""
    return _delete(session, Preview.project_id == project_id)


def previews_of(session: Session, image_ids: Collection[int]) -> dict[int, Preview]:
    """The previews of these images that were made while the version that is active now was, by image."""
    return {one.image_id: one for one in session.scalars(_current().where(Preview.image_id.in_(image_ids)))}


def has_previews(session: Session, project_id: int) -> bool:
    """Whether any image of the project has one that counts."""
    return session.scalar(_current().where(Preview.project_id == project_id).limit(1)) is not None


def _current() -> Select[Preview]:
    active = PromptVersion.state == "active"
    return select(Preview).join(PromptVersion, PromptVersion.id == Preview.prompt_version_id).where(active)


def _delete(session: Session, *which: ColumnElement[bool]) -> list[str]:
    rows = list(session.execute(select(Preview.id, Preview.map_blob_key).where(*which)))
    session.execute(delete(Preview).where(Preview.id.in_([row_id for row_id, _ in rows])))
    return [key for _, key in rows]
