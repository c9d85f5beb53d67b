"""Projects and their settings."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.errors import BadSetting
from db.insert import insert_or_find
from db.lookup import get_row
from db.models import Project
from db.review_queue import order_anew

# What a new project starts with. `retrain_after` and `retrain_hours`, where absent, are those of the process.
DEFAULT_SETTINGS: dict[str, Any] = {"threshold": 0.5, "map_threshold": 0.5, "schedule": True}
# Lowest and highest value; whole numbers where these are.
_RANGES = {
    "threshold": (0.0, 1.0),
    "map_threshold": (0.0, 1.0),
    "retrain_after": (1, 1_000_000),
    "retrain_hours": (0.01, 100_000.0),
}


def get_project(session: Session, project_id: int) -> Project:
    """The project of this id; raises NotFound."""
    return get_row(session, Project, project_id)


def find_project(session: Session, name: str) -> Project | None:
    """The project of this name, if there is one."""
    return session.scalars(select(Project).where(Project.name == name)).one_or_none()


def list_projects(session: Session) -> list[Project]:
    """All projects, by name."""
    return list(session.scalars(select(Project).order_by(Project.name)))


def ensure_project(session: Session, name: str) -> Project:
    """The project of this name, made with the default settings where there is none."""
    new = Project(name=name, settings=dict(DEFAULT_SETTINGS))
    return insert_or_find(session, new, select(Project).where(Project.name == name))[0]


def update_settings(session: Session, project_id: int, changes: dict[str, Any]) -> Project:
    """Change some settings and keep the others.

    Args:
        session: a writing session.
        project_id: whose.
        changes: threshold and map_threshold (0–1), retrain_after (corrections, ≥ 1), retrain_hours (> 0),
            schedule (bool: whether runs start by themselves).

    Raises:
        NotFound: no such project.
        BadSetting: an unknown name or a value outside its range; then nothing is changed.
    """
    for name, value in changes.items():
        _check_setting(name, value)
    project = lock_project(session, project_id)
    project.settings = {**project.settings, **changes}
    if "threshold" in changes:
        order_anew(session, project_id, changes["threshold"])
    session.flush()
    return project


def lock_project(session: Session, project_id: int) -> Project:
    """The project, read anew; others who lock it wait until this transaction ends. Raises NotFound."""
    return get_row(session, Project, project_id, lock=True)


def _check_setting(name: str, value: Any) -> None:
    if name == "schedule":
        if not isinstance(value, bool):
            raise BadSetting(f"The setting schedule is true or false, not {value!r}.")
        return
    if name not in _RANGES:
        known = ", ".join(sorted({*_RANGES, "schedule"}))
        raise BadSetting(f"There is no setting {name!r}. The settings of a project are {known}.")
    low, high = _RANGES[name]
    whole = isinstance(low, int)
    if type(value) not in ((int,) if whole else (int, float)) or not low <= value <= high:
        kind = "whole number" if whole else "number"
        raise BadSetting(f"The setting {name} is a {kind} from {low} to {high}, not {value!r}.")
