"""Kinds of defect given to the regions of a correction, by a pixel in each; a region is a connected part of its mask.

Pixels are neighbours where they share a side or a corner, as in COCO's annotations.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.measure import label as connected_regions
from sqlalchemy.orm import Session

from db.defects.naming import LONGEST_COMMENT, NamedRegion, annotation_to_name, name_regions, named_regions
from db.errors import BadNaming, Conflict
from db.images.annotations import newest_annotation
from db.images.images import get_image
from db.store import Store
from db.tables.core import Annotation, Image
from engine.images.mask_files import decode_mask

Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Naming:
    """A kind for the region that a pixel lies in; without x and y for an image that is anomalous without a mask."""

    kind_id: int
    x: int | None = None
    y: int | None = None


def name_defects(
    store: Store,
    image_id: int,
    namings: Sequence[Naming] | None,
    comment: str | None,
    *,
    expected_revision: int | None = None,
) -> Annotation:
    """Say of the newest correction of an image what kinds of defect it shows, and anything in words.

    It stays the same revision: nothing is learnt from it anew.

    Args:
        store: where the image is.
        image_id: which.
        namings: all that have a kind, in place of those that were named; None: they stay.
        comment: in place of the comment; None: it stays.
        expected_revision: of the correction that was seen; None: whichever is the newest.

    Raises:
        NotFound: no such image.
        NotCorrected: nobody has corrected it yet.
        Conflict: someone saved in between.
        BadNaming: a pixel that is not marked, two kinds for one region, or a kind of another project.
    """
    mask: Mask | None = None
    with store.session(read_only=True) as session:
        image, seen = get_image(session, image_id), newest_annotation(session, image_id)
    if seen is not None and namings:
        mask = _mask_of(store, image, seen)
    with store.session() as session:
        newest = annotation_to_name(session, image_id, expected_revision)
        if seen is None or newest.revision != seen.revision:
            raise Conflict(newest.revision, seen.revision if seen else 0)
        if namings is not None:
            name_regions(session, newest, _regions_named(namings, newest.label, mask))
        if comment is not None:
            newest.comment = comment.strip()[:LONGEST_COMMENT]
        session.flush()
        return newest


def _regions_named(namings: Sequence[Naming], label: str, mask: Mask | None) -> list[NamedRegion]:
    if not namings:
        return []
    if mask is None:
        if label != "anomalous" or len(namings) > 1 or namings[0].x is not None:
            raise BadNaming(
                "The image has no mask: it has one kind of defect as a whole, without x and y, where it is called "
                "anomalous. Mark its defects to give each a kind."
            )
        return [NamedRegion(namings[0].kind_id)]
    numbered = numbered_regions(mask)
    areas = np.bincount(numbered.ravel())
    named: dict[int, NamedRegion] = {}
    for one in namings:
        number = _region_at(numbered, one)
        if number in named and named[number].kind_id != one.kind_id:
            raise BadNaming(f"The region at {one.x}, {one.y} is given two kinds of defect. Give it one.")
        named[number] = NamedRegion(one.kind_id, one.x, one.y, int(areas[number]))
    return list(named.values())


def _region_at(numbered: npt.NDArray[np.int64], one: Naming) -> int:
    height, width = numbered.shape
    if one.x is None or one.y is None:
        raise BadNaming("The image has a mask: a kind of defect is given to a region, by x and y of a pixel in it.")
    number = int(numbered[one.y, one.x]) if 0 <= one.x < width and 0 <= one.y < height else 0
    if not number:
        raise BadNaming(f"The pixel {one.x}, {one.y} is not marked in the mask. Name a pixel of a marked region.")
    return number


@dataclass(frozen=True)
class Earlier:
    """What the revision before a new one says, as far as the new one takes it over.

    Attributes:
        revision: its number.
        label: normal or anomalous.
        comment: of it.
        named: its regions with kinds.
        mask: (h, w), where regions have kinds; else None.
    """

    revision: int
    label: str
    comment: str
    named: list[NamedRegion]
    mask: Mask | None


def earlier(store: Store, image_id: int) -> Earlier | None:
    """What is said of an image now; None: nothing that another revision would take over."""
    with store.session(read_only=True) as session:
        newest = newest_annotation(session, image_id)
        if newest is None:
            return None
        image, rows = get_image(session, image_id), named_regions(session, [newest.id]).get(newest.id, [])
    if not rows and not newest.comment:
        return None
    named = [NamedRegion(one.kind_id, one.x, one.y, one.area) for one in rows]
    return Earlier(
        newest.revision, newest.label, newest.comment, named, _mask_of(store, image, newest) if named else None
    )


def take_over_kinds(session: Session, annotation: Annotation, before: Earlier | None, mask: Mask | None) -> None:
    """Give a new revision the kinds and the comment of the one before, as far as they still say something.

    A region of the new mask has the kind of the one that it overlaps; the comment stays while the label does.
    """
    if before is None or before.revision + 1 != annotation.revision or before.label != annotation.label:
        return
    annotation.comment = before.comment
    if mask is None or not mask.any():
        kept = [one for one in before.named if one.x is None]
    elif before.mask is None:
        kept = []
    else:
        kept = _overlapping(before.named, before.mask, mask)
    name_regions(session, annotation, kept)


def _overlapping(named: list[NamedRegion], before: Mask, now: Mask) -> list[NamedRegion]:
    old, new = numbered_regions(before), numbered_regions(now)
    areas, kept = np.bincount(new.ravel()), dict[int, NamedRegion]()
    for one in named:
        if one.x is None or one.y is None:
            continue
        inside = old == old[one.y, one.x]
        for number in np.unique(new[inside]):
            if not number or number in kept:
                continue
            y, x = (one.y, one.x) if new[one.y, one.x] == number else np.argwhere(new == number)[0]
            kept[int(number)] = NamedRegion(one.kind_id, int(x), int(y), int(areas[number]))
    return list(kept.values())


def numbered_regions(mask: Mask) -> npt.NDArray[np.int64]:
    """(h, w), 0 where nothing is marked, and in each region its number."""
    return connected_regions(mask != 0, connectivity=2)


def _mask_of(store: Store, image: Image, annotation: Annotation) -> Mask | None:
    """(h, w), 1 where anomalous; None where it has none."""
    if annotation.mask_blob_key is None:
        return None
    return decode_mask(store.blobs.get(annotation.mask_blob_key), width=image.width, height=image.height)
