"""The rule by which a project's images of more than 8 bits are seen: set by the first of them, changed by people."""

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from db.errors import BadSetting
from db.projects.projects import lock_project
from db.tables.core import Image, Prediction, Preview, Project
from db.tables.interest import OldPrediction

Range = tuple[float, float]


def depth_of(project: Project) -> Range | None:
    """The values that are black and white; None while no image of the project has more than 8 bits."""
    kept = project.settings.get("depth")
    return None if kept is None else (float(kept[0]), float(kept[1]))


def fix_depth(session: Session, project_id: int, wanted: Range) -> Range:
    """The project's rule; where it has none yet, this one from now on. Raises NotFound."""
    project = lock_project(session, project_id)
    kept = depth_of(project)
    if kept is None:
        project.settings = {**project.settings, "depth": list(wanted)}
        session.flush()
    return kept or wanted


def change_depth(session: Session, project_id: int, wanted: Range, rule: str) -> tuple[list[int], list[str]]:
    """See the project's images of more than 8 bits by another rule; what was said of them by the old one is deleted.

    Args:
        session: a writing session.
        project_id: whose.
        wanted: values that are black and white.
        rule: the same as images have it.

    Returns:
        The ids of these images, and the keys of their maps: give them to `Store.delete_blobs` after this transaction.

    Raises:
        NotFound: no such project.
        BadSetting: black is not below white.
    """
    if not wanted[0] < wanted[1]:
        raise BadSetting(
            f"The value that is black ({wanted[0]:g}) has to be below the one that is white ({wanted[1]:g})."
        )
    project = lock_project(session, project_id)
    if depth_of(project) == wanted:
        return [], []
    project.settings = {**project.settings, "depth": list(wanted)}
    deep = select(Image.id).where(Image.project_id == project_id, Image.depth.is_not(None))
    ids = list(session.scalars(deep))
    maps: list[str] = []
    for table in (Prediction, Preview, OldPrediction):
        maps += session.scalars(select(table.map_blob_key).where(table.image_id.in_(deep)))
        session.execute(delete(table).where(table.image_id.in_(deep)))
    session.execute(update(Image).where(Image.id.in_(deep)).values(depth=rule, scoring_error=None))
    return ids, maps
