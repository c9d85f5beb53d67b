"""Which regions of a correction have which kind of defect, and what a person says of it in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.errors import BadNaming, Conflict, NotCorrected
from db.images.annotations import newest_annotation
from db.lookup import get_row
from db.tables.core import Annotation, Image
from db.tables.defects import DefectKind, NamedDefect

LONGEST_COMMENT = 2000


@dataclass(frozen=True)
class NamedRegion:
    """A region with its kind.

    Attributes:
        kind_id: which kind.
        x: column of a pixel of the region; None, as y: the image as a whole, which has no mask.
        y: row of that pixel.
        area: of the region, px; 0 for the image as a whole.
    """

    kind_id: int
    x: int | None = None
    y: int | None = None
    area: int = 0


def named_regions(session: Session, annotation_ids: Sequence[int]) -> dict[int, list[NamedDefect]]:
    """The named regions of these annotations, the largest first; without a key for those that have none."""
    found: dict[int, list[NamedDefect]] = {}
    for start in range(0, len(annotation_ids), 500):
        some = NamedDefect.annotation_id.in_(annotation_ids[start : start + 500])
        for one in session.scalars(select(NamedDefect).where(some).order_by(NamedDefect.area.desc(), NamedDefect.id)):
            found.setdefault(one.annotation_id, []).append(one)
    return found


def name_regions(session: Session, annotation: Annotation, regions: Iterable[NamedRegion]) -> None:
    """Put these in place of what was named in an annotation.

    Raises:
        BadNaming: a kind that the project of its image does not have.
    """
    regions = list(regions)
    project_id = get_row(session, Image, annotation.image_id).project_id
    wanted = {one.kind_id for one in regions}
    own = set(
        session.scalars(select(DefectKind.id).where(DefectKind.project_id == project_id, DefectKind.id.in_(wanted)))
    )
    if wanted - own:
        raise BadNaming(f"The project has no kind of defect {min(wanted - own)}. Choose one of its own.")
    session.execute(delete(NamedDefect).where(NamedDefect.annotation_id == annotation.id))
    session.add_all(
        NamedDefect(annotation_id=annotation.id, kind_id=one.kind_id, x=one.x, y=one.y, area=one.area)
        for one in regions
    )
    session.flush()


def annotation_to_name(session: Session, image_id: int, expected_revision: int | None) -> Annotation:
    """The newest annotation of an image, to have its regions named; nobody adds another one meanwhile.

    Raises:
        NotFound: no such image.
        NotCorrected: it has none.
        Conflict: another revision than the expected one is the newest.
    """
    get_row(session, Image, image_id, lock=True)
    newest = newest_annotation(session, image_id)
    if newest is None:
        raise NotCorrected(image_id)
    if expected_revision is not None and expected_revision != newest.revision:
        raise Conflict(newest.revision, expected_revision)
    return newest
