"""Projects: one of a name, and settings that stay in range."""

from typing import Any

import pytest

from db.errors import BadSetting, NotFound
from db.projects import DEFAULT_SETTINGS, ensure_project, find_project, get_project, list_projects, update_settings
from db.session import Database
from tests.db.making import at_once, make_project


def test_a_project_is_made_once_with_the_default_settings(database: Database) -> None:
    with database.session() as session:
        project = ensure_project(session, "screws")
        assert project.settings == DEFAULT_SETTINGS
        assert ensure_project(session, "screws") is project
        assert get_project(session, project.id) is project


def test_processes_that_start_at_once_make_one_project(database: Database) -> None:
    def ensure(_: int) -> int:
        with database.session() as session:
            return make_project(session)

    assert len(set(at_once(8, ensure))) == 1


def test_projects_are_found_by_name_and_listed_by_name(database: Database) -> None:
    with database.session() as session:
        screws, bolts = ensure_project(session, "screws"), ensure_project(session, "bolts")
        assert find_project(session, "screws") is screws
        assert find_project(session, "nuts") is None
        assert list_projects(session) == [bolts, screws]


def test_changing_a_setting_keeps_the_others(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        update_settings(session, project_id, {"threshold": 0.7, "retrain_after": 5})
    with database.session() as session:
        assert get_project(session, project_id).settings == {**DEFAULT_SETTINGS, "threshold": 0.7, "retrain_after": 5}


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 1.5},
        {"threshold": float("nan")},
        {"map_threshold": -0.1},
        {"threshold": "high"},
        {"threshold": True},
        {"schedule": 1},
        {"retrain_after": 0},
        {"retrain_after": 2.5},
        {"colour": "red"},
        {"map_threshold": 0.2, "retrain_hours": -1},
    ],
)
def test_an_impossible_setting_is_refused_and_changes_nothing(database: Database, changes: dict[str, Any]) -> None:
    with database.session() as session:
        project_id = make_project(session)
        with pytest.raises(BadSetting):
            update_settings(session, project_id, changes)
    with database.session() as session:
        assert get_project(session, project_id).settings == DEFAULT_SETTINGS


def test_settings_changed_at_once_are_all_kept(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
    changes: list[dict[str, Any]] = [
        {"threshold": 0.1},
        {"map_threshold": 0.2},
        {"retrain_after": 3},
        {"schedule": False},
    ]

    def change(number: int) -> None:
        with database.session() as session:
            update_settings(session, project_id, changes[number])

    assert at_once(4, change) == [None] * 4
    with database.session() as session:
        settings = get_project(session, project_id).settings
    assert settings == {"threshold": 0.1, "map_threshold": 0.2, "retrain_after": 3, "schedule": False}


def test_a_project_that_does_not_exist_is_not_found(database: Database) -> None:
    with database.session() as session:
        with pytest.raises(NotFound, match="no project 99"):
            get_project(session, 99)
        with pytest.raises(NotFound, match="no project 99"):
            update_settings(session, 99, {})
