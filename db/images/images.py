"""Images: adding, finding and deleting one. Lists, counts and statuses come from image_pages.py and image_rows.py."""

import re
from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.images.part_facts import NOTHING_KNOWN, PartFacts
from db.insert import insert_or_find
from db.lookup import get_row
from db.tables.core import Annotation, Image, Prediction, Preview
from db.tables.interest import OldPrediction

_NAME_LENGTH = 255


def add_image(
    session: Session,
    *,
    project_id: int,
    sha256: str,
    blob_key: str,
    file_name: str,
    byte_size: int,
    width: int,
    height: int,
    author: str,
    depth: str | None = None,
    facts: PartFacts = NOTHING_KNOWN,
) -> tuple[Image, bool]:
    """Add an image, or find the one of the same bytes; uploads at the same moment make one.

    Args:
        session: a writing session.
        project_id: whose.
        sha256: of the bytes, in hex.
        blob_key: where they lie.
        file_name: as the user named it; folders and control characters are dropped, it is only ever shown.
        byte_size: of the file.
        width: pixels, after EXIF orientation.
        height: pixels, after EXIF orientation.
        author: who uploaded it.
        depth: the rule by which it is seen, "low:high"; None: it has 8 bits.
        facts: what is known of its part.

    Returns:
        The image, and True when it was there already (it then keeps its first name and author).

    Raises:
        IntegrityError: no such project.
    """
    new = Image(
        project_id=project_id,
        sha256=sha256,
        blob_key=blob_key,
        file_name=_shown_name(file_name),
        byte_size=byte_size,
        width=width,
        height=height,
        author=author,
        depth=depth,
        part=facts.part,
        lot=facts.lot,
        station=facts.station,
        captured_at=facts.captured_at,
        tags=list(facts.tags) or None,
        compared_facts=facts.searched,
    )
    image, added = insert_or_find(session, new, select(Image).filter_by(project_id=project_id, sha256=sha256))
    return image, not added


def get_image(session: Session, image_id: int) -> Image:
    """The image of this id; raises NotFound."""
    return get_row(session, Image, image_id)


def delete_image(session: Session, image_id: int) -> list[str]:
    """Delete an image with its predictions, preview and annotations; raises NotFound.

    Returns:
        The keys of its blobs (image, maps, masks): give them to `Store.delete_blobs` after this transaction.
    """
    image = get_image(session, image_id)
    maps = [
        key
        for table in (Prediction, Preview, OldPrediction)
        for key in session.scalars(select(table.map_blob_key).where(table.image_id == image_id))
    ]
    masks = session.scalars(select(Annotation.mask_blob_key).where(Annotation.image_id == image_id))
    keys = {image.blob_key, *maps, *(key for key in masks if key is not None)}
    session.delete(image)
    session.flush()
    return sorted(keys)


def clear_scoring_errors(session: Session, project_id: int, image_ids: Sequence[int] | None = None) -> list[int]:
    """Make the project's failed images unscored ones, so that they are tried again.

    Args:
        session: a writing session.
        project_id: whose.
        image_ids: only those of these that failed; None: all of them.

    Returns:
        Their ids.
    """
    failed = select(Image.id).where(Image.project_id == project_id, Image.scoring_error.is_not(None))
    if image_ids is not None:
        failed = failed.where(Image.id.in_(image_ids))
    found = list(session.scalars(failed))
    session.execute(update(Image).where(Image.id.in_(failed)).values(scoring_error=None))
    return found


def _shown_name(file_name: str) -> str:
    last = re.split(r"[/\\]", file_name)[-1]
    shown = re.sub(r"[\x00-\x1f\x7f]", "", last)[-_NAME_LENGTH:]
    return shown if shown.strip(". ") else "image"
