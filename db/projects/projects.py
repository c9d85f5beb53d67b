"""Projects and their settings."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.errors import BadName, BadSetting, NameTaken, RunInProgress
from db.images.queue_orders import order_anew
from db.insert import insert_or_find
from db.lookup import get_row
from db.projects.line_settings import LINE_SETTINGS, check_line_setting
from db.projects.verdict_rule import whole_rule
from db.tables.base import utc_now
from db.tables.core import Project
from db.training.runs import live_run

# What a new project starts with. `retrain_after` and `retrain_hours`, where absent, are those of the process.
DEFAULT_SETTINGS: dict[str, Any] = {"threshold": 0.5, "map_threshold": 0.5, "schedule": True}
_LONGEST_NAME = 200
_SWITCHES = ("schedule", "second_person")
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


def list_projects(session: Session, *, archived: bool = False) -> list[Project]:
    """The projects that work, by name; or those that are archived."""
    wanted = Project.archived_at.is_not(None) if archived else Project.archived_at.is_(None)
    return list(session.scalars(select(Project).where(wanted).order_by(Project.name)))


def ensure_project(session: Session, name: str) -> Project:
    """The project of this name, made with the default settings where there is none."""
    new = Project(name=name, settings=dict(DEFAULT_SETTINGS))
    return insert_or_find(session, new, select(Project).where(Project.name == name))[0]


def add_project(session: Session, name: str, settings: dict[str, Any] | None = None) -> Project:
    """A new project.

    Args:
        session: a writing session.
        name: 1–200 characters; spaces around it are dropped.
        settings: what it starts with; None: the default ones.

    Raises:
        BadName, NameTaken.
    """
    new = Project(name=_proper_name(name), settings=dict(settings or DEFAULT_SETTINGS))
    project, added = insert_or_find(session, new, select(Project).where(Project.name == new.name))
    if not added:
        raise NameTaken(project.name)
    return project


def rename_project(session: Session, project_id: int, name: str) -> Project:
    """Give a project another name. Raises NotFound, BadName, NameTaken."""
    project, name = lock_project(session, project_id), _proper_name(name)
    try:
        with session.begin_nested():
            project.name = name
    except IntegrityError as error:
        raise NameTaken(name) from error
    return project


def archive_project(session: Session, project_id: int, archived: bool) -> Project:
    """Put a project to rest, or have it work again; either is fine when it is so already.

    Raises:
        NotFound: no such project.
        RunInProgress: a run of it is not finished.
    """
    project = lock_project(session, project_id)
    live = live_run(session, project_id) if archived else None
    if live is not None:
        raise RunInProgress(live.id)
    if archived != (project.archived_at is not None):
        project.archived_at = utc_now() if archived else None
        session.flush()
    return project


def _proper_name(name: str) -> str:
    proper = " ".join(name.split())
    if not 0 < len(proper) <= _LONGEST_NAME or not proper.isprintable():
        raise BadName(f"The name of a project has 1 to {_LONGEST_NAME} printable characters. Choose another one.")
    return proper


def update_settings(session: Session, project_id: int, changes: dict[str, Any]) -> Project:
    """Change some settings and keep the others.

    Args:
        session: a writing session.
        project_id: whose.
        changes: threshold and map_threshold (0–1), retrain_after (corrections, ≥ 1), retrain_hours (> 0),
            schedule (bool: whether runs start by themselves), second_person (bool, see db/training/approvals.py),
            verdict_rule (db/projects/verdict_rule.py), and those of db/projects/line_settings.py.

    Raises:
        NotFound: no such project.
        BadSetting: an unknown name or a value outside its range; then nothing is changed.
    """
    project = lock_project(session, project_id)
    before = old = project.settings
    if "threshold" in changes:
        before = {**before, "threshold_chosen": True}  # so that no run moves what it means
    project.settings = with_changes(before, changes)
    if any(project.settings.get(name) != old.get(name) for name in ("threshold", "threshold_chosen")):
        session.flush()
        order_anew(session, project_id)  # and from now on verdicts are by it
    session.flush()
    return project


def with_changes(settings: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Settings with some of them changed. Raises BadSetting for what they can't be, alone or together."""
    for name, value in changes.items():
        _check_setting(name, value)
    changed = {**settings, **changes}
    if "verdict_rule" in changed:
        changed["verdict_rule"] = whole_rule(changed["verdict_rule"], changed.get("px_per_mm"))
    return changed


def lock_project(session: Session, project_id: int) -> Project:
    """The project, read anew; others who lock it wait until this transaction ends. Raises NotFound."""
    return get_row(session, Project, project_id, lock=True)


def _check_setting(name: str, value: Any) -> None:
    if name in LINE_SETTINGS:
        check_line_setting(name, value)
        return
    if name == "verdict_rule":  # with the others, as its unit asks for a scale
        return
    if name in _SWITCHES:
        if not isinstance(value, bool):
            raise BadSetting(f"The setting {name} is true or false, not {value!r}.")
        return
    if name not in _RANGES:
        known = ", ".join(sorted({*_RANGES, *LINE_SETTINGS, "depth", "verdict_rule", *_SWITCHES}))
        raise BadSetting(f"There is no setting {name!r}. The settings of a project are {known}.")
    low, high = _RANGES[name]
    whole = isinstance(low, int)
    if type(value) not in ((int,) if whole else (int, float)) or not low <= value <= high:
        kind = "whole number" if whole else "number"
        raise BadSetting(f"The setting {name} is a {kind} from {low} to {high}, not {value!r}.")
