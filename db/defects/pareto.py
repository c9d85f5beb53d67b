"""How many corrections of a project name which kind of defect: images, regions and area of each."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.defects.kinds import list_kinds
from db.images.annotations import newest_of_images
from db.tables.core import Annotation
from db.tables.defects import DefectKind, NamedDefect


@dataclass(frozen=True)
class KindCount:
    """What the newest corrections of a project say of a kind.

    Attributes:
        kind: which; None: what is anomalous and has no kind.
        images: on how many images there is one.
        regions: marked regions; None for what has no kind, of which nobody counts the regions.
        area: of them, px.
    """

    kind: DefectKind | None
    images: int
    regions: int | None
    area: int


def count_kinds(session: Session, project_id: int) -> list[KindCount]:
    """The commonest first, by images, then by regions; last what has no kind, where there is any."""
    newest = newest_of_images(project_id).with_only_columns(Annotation.id, Annotation.image_id).subquery()
    rows = session.execute(
        select(
            NamedDefect.kind_id,
            func.count(newest.c.image_id.distinct()),
            func.count(NamedDefect.x),
            func.sum(NamedDefect.area),
        )
        .join(newest, newest.c.id == NamedDefect.annotation_id)
        .group_by(NamedDefect.kind_id)
    )
    found = {kind_id: (images, regions, int(area)) for kind_id, images, regions, area in rows}
    counted = [KindCount(kind, *found.get(kind.id, (0, 0, 0))) for kind in list_kinds(session, project_id)]
    counted.sort(key=lambda one: (-one.images, -(one.regions or 0)))
    unnamed = _without_kind(session, project_id)
    return [*counted, unnamed] if unnamed.images else counted


def _without_kind(session: Session, project_id: int) -> KindCount:
    """Images on which something is anomalous and has no kind, and the area of that."""
    named = (
        select(NamedDefect.annotation_id, func.count().label("count"), func.sum(NamedDefect.area).label("area"))
        .group_by(NamedDefect.annotation_id)
        .subquery()
    )
    rest = Annotation.area - func.coalesce(named.c.area, 0)
    anomalous = (
        newest_of_images(project_id)
        .outerjoin(named, named.c.annotation_id == Annotation.id)
        .where(Annotation.label == "anomalous", (rest > 0) | named.c.count.is_(None))
        .with_only_columns(rest.label("rest"))
        .subquery()
    )
    images, area = session.execute(
        select(func.count(), func.coalesce(func.sum(anomalous.c.rest), 0)).select_from(anomalous)
    ).one()
    return KindCount(None, images, None, int(area))
