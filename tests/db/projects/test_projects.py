"""Projects: one of a name, and settings that stay in range."""

from typing import Any

import pytest

from db.errors import BadName, BadSetting, NameTaken, NotFound, RunInProgress
from db.projects.projects import (
    DEFAULT_SETTINGS,
    add_project,
    archive_project,
    ensure_project,
    find_project,
    get_project,
    list_projects,
    rename_project,
    update_settings,
)
from db.session import Database
from tests.db.making import at_once, make_project, make_run


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
        changed = {"threshold": 0.7, "threshold_chosen": True, "retrain_after": 5}
        assert get_project(session, project_id).settings == {**DEFAULT_SETTINGS, **changed}


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
    others = {"map_threshold": 0.2, "retrain_after": 3, "schedule": False}
    assert settings == {"threshold": 0.1, "threshold_chosen": True, **others}


def test_a_project_that_does_not_exist_is_not_found(database: Database) -> None:
    with database.session() as session:
        with pytest.raises(NotFound, match="no project 99"):
            get_project(session, 99)
        with pytest.raises(NotFound, match="no project 99"):
            update_settings(session, 99, {})


def test_a_new_project_has_a_name_of_its_own(database: Database) -> None:
    with database.session() as session:
        assert add_project(session, "  metal   nuts ").name == "metal nuts"
        assert add_project(session, "screws", {"threshold": 0.7}).settings == {"threshold": 0.7}
        with pytest.raises(NameTaken, match="metal nuts"):
            add_project(session, "metal nuts")


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\x00b", "a\u202eb"])
def test_a_name_that_nobody_can_read_is_refused(database: Database, name: str) -> None:
    with database.session() as session:
        project_id = make_project(session)
        with pytest.raises(BadName):
            add_project(session, name)
        with pytest.raises(BadName):
            rename_project(session, project_id, name)


def test_renaming_keeps_names_apart_and_the_session_usable(database: Database) -> None:
    with database.session() as session:
        screws, bolts = make_project(session, "screws"), make_project(session, "bolts")
        with pytest.raises(NameTaken):
            rename_project(session, screws, "bolts")
        assert rename_project(session, screws, "long screws").name == "long screws"
        assert rename_project(session, bolts, "bolts").name == "bolts"
    with database.session(read_only=True) as session:
        assert [project.name for project in list_projects(session)] == ["bolts", "long screws"]


def test_two_who_take_a_name_at_once_make_one_project(database: Database) -> None:
    def add(_: int) -> int:
        with database.session() as session:
            return add_project(session, "screws").id

    outcomes = at_once(4, add)
    assert sum(isinstance(one, int) for one in outcomes) == 1
    assert sum(isinstance(one, NameTaken) for one in outcomes) == 3


def test_an_archived_project_is_listed_apart_and_comes_back(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        archived_at = archive_project(session, project_id, True).archived_at
        assert archive_project(session, project_id, True).archived_at == archived_at
        assert list_projects(session) == []
        assert [project.id for project in list_projects(session, archived=True)] == [project_id]
        assert find_project(session, "default") is not None
        archive_project(session, project_id, False)
        assert [project.id for project in list_projects(session)] == [project_id]


def test_a_project_is_not_archived_under_a_run(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        make_run(session, project_id)
        with pytest.raises(RunInProgress):
            archive_project(session, project_id, True)
        assert archive_project(session, project_id, False).archived_at is None
