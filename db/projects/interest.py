"""A project's regions of interest: kept, changed and removed; what was said by another one becomes old."""

from collections.abc import Sequence

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.orm import Session

from db.errors import NotFound
from db.images.rows import active_version_id
from db.projects.projects import lock_project
from db.tables.core import Image, Prediction, Preview, Project
from db.tables.interest import OldPrediction, RegionOfInterest


def regions_of_interest(session: Session, project_id: int) -> list[RegionOfInterest]:
    """Those of a project, that of all stations first."""
    rows = select(RegionOfInterest).where(RegionOfInterest.project_id == project_id)
    return list(session.scalars(rows.order_by(RegionOfInterest.station)))


def mask_sizes(session: Session, project_id: int) -> dict[str, tuple[int, int]]:
    """By the key of each region's mask, its height and width in px."""
    return {one.mask_blob_key: (one.height, one.width) for one in regions_of_interest(session, project_id)}


def interest_keys(session: Session, project_id: int, *, hold: bool = False) -> dict[str, str]:
    """Station → the key of the mask of its region; "": that of all others. See `interest_key`.

    Args:
        session: any session.
        project_id: whose.
        hold: in a writing session, until its end nobody changes the project's regions.
    """
    if hold:
        session.execute(select(Project.id).where(Project.id == project_id).with_for_update(read=True))
    return {one.station: one.mask_blob_key for one in regions_of_interest(session, project_id)}


def interest_key(keys: dict[str, str], station: str | None) -> str | None:
    """The key of the mask for an image of a station (None: it has none); None: all of the image counts."""
    return keys.get(station or "") or keys.get("")


def set_region_of_interest(
    session: Session,
    project_id: int,
    station: str,
    *,
    mask_blob_key: str,
    width: int,
    height: int,
    area: int,
    author: str,
) -> tuple[RegionOfInterest, list[str]]:
    """Use a mask from now on, at one station or ("") at all that have none of their own.

    Args:
        session: a writing session that holds the mask's blob.
        project_id: whose images.
        station: as the images have it.
        mask_blob_key: 8-bit PNG, 255 where a pixel counts.
        width: of the mask, px.
        height: of the mask, px.
        area: pixels that count.
        author: who drew it.

    Returns:
        Its row, and the keys of blobs that nothing may need any more: give them to `Store.delete_blobs` after this
        transaction. Images are to be scored anew.

    Raises:
        NotFound: no such project.
    """
    lock_project(session, project_id)
    row = _find(session, project_id, station)
    if row is not None and row.mask_blob_key == mask_blob_key:
        return row, []
    left = _make_old(session, project_id, station)
    if row is None:
        row = RegionOfInterest(project_id=project_id, station=station)
        session.add(row)
    else:
        left.append(row.mask_blob_key)
    row.mask_blob_key, row.width, row.height, row.area, row.author = mask_blob_key, width, height, area, author
    session.flush()
    return row, left


def remove_region_of_interest(session: Session, project_id: int, station: str) -> list[str]:
    """All of these images count again, or what the region of all stations says; returns as above.

    Raises:
        NotFound: no such project, or it has no such region.
    """
    lock_project(session, project_id)
    row = _find(session, project_id, station)
    if row is None:
        raise NotFound("region of interest of", f"station {station}" if station else f"project {project_id}")
    left = [*_make_old(session, project_id, station), row.mask_blob_key]
    session.delete(row)
    session.flush()
    return left


def forget_old(session: Session, image_ids: Sequence[int] | Select[int]) -> list[str]:
    """These images are scored anew: what was old is forgotten; the keys of its maps and masks."""
    those = OldPrediction.image_id.in_(image_ids)
    columns = (OldPrediction.map_blob_key, OldPrediction.interest_blob_key)
    keys = [key for pair in session.execute(select(*columns).where(those)) for key in pair if key]
    session.execute(delete(OldPrediction).where(those).execution_options(synchronize_session=False))
    return keys


def _find(session: Session, project_id: int, station: str) -> RegionOfInterest | None:
    return session.scalars(select(RegionOfInterest).filter_by(project_id=project_id, station=station)).one_or_none()


def _make_old(session: Session, project_id: int, station: str) -> list[str]:
    """What was said of the images that this concerns is old: no version has scored them any more."""
    concerned = _concerned(session, project_id, station)
    current = (
        Prediction.image_id.in_(concerned),
        Prediction.prompt_version_id == active_version_id(session, project_id),
    )
    # What is not scored anew yet since an earlier change stays as old as it is.
    left = forget_old(session, select(Prediction.image_id).where(*current))
    columns = ("image_id", "prompt_version_id", "score", "map_blob_key", "interest_blob_key")
    copied = select(*(getattr(Prediction, name) for name in columns)).where(*current)
    session.execute(insert(OldPrediction).from_select(columns, copied))
    for table in (Prediction, Preview):
        left += session.scalars(select(table.map_blob_key).where(table.image_id.in_(concerned)))
        those = delete(table).where(table.image_id.in_(concerned))
        session.execute(those.execution_options(synchronize_session=False))
    return left


def _concerned(session: Session, project_id: int, station: str) -> Select[int]:
    """The ids of images that a region of this station says something of."""
    images = select(Image.id).where(Image.project_id == project_id)
    if station:
        return images.where(Image.station == station)
    own = [one.station for one in regions_of_interest(session, project_id) if one.station]
    return images.where(Image.station.is_(None) | Image.station.not_in(own)) if own else images
