"""Prompt versions: numbered within a project, exactly one active, none ever lost."""

import pytest
from sqlalchemy.exc import IntegrityError

from db.errors import NotFound
from db.projects.projects import archive_project
from db.session import Database
from db.tables.core import PromptVersion
from db.training.prompt_versions import (
    activate,
    active_version,
    get_version,
    list_versions,
    projects_without_shipped,
    reject,
    write_note,
)
from tests.db.making import at_once, make_project, make_version


def states(database: Database, project_id: int) -> list[str]:
    """The states of all versions, the oldest first."""
    with database.session(read_only=True) as session:
        return [version.state for version in reversed(list_versions(session, project_id))]


def test_versions_are_numbered_within_their_project(database: Database) -> None:
    with database.session() as session:
        one, other = make_project(session), make_project(session, "other")
        numbers = [make_version(session, project).number for project in (one, one, other, one)]
        assert numbers == [1, 2, 1, 3]
        assert [version.number for version in list_versions(session, one)] == [3, 2, 1]


def test_versions_that_are_added_at_once_get_different_numbers(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)

    def add(_: int) -> int:
        with database.session() as session:
            return make_version(session, project_id, active=False).number

    assert sorted(at_once(6, add), key=str) == [1, 2, 3, 4, 5, 6]


def test_a_new_version_is_a_candidate_and_none_is_active(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        assert make_version(session, project_id, active=False).state == "candidate"
        assert active_version(session, project_id) is None


def test_activating_retires_the_one_before(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        make_version(session, project_id)
        second = make_version(session, project_id)
        assert active_version(session, project_id) is second
        assert second.activated_at is not None
    assert states(database, project_id) == ["retired", "active"]


@pytest.mark.parametrize("state", ["retired", "rejected"])
def test_a_person_can_go_back_to_any_version(database: Database, state: str) -> None:
    with database.session() as session:
        project_id = make_project(session)
        first = make_version(session, project_id, active=state == "retired")
        if state == "rejected":
            reject(session, first.id)
        make_version(session, project_id)
    assert states(database, project_id) == [state, "active"]
    with database.session() as session:
        activate(session, first.id)
    assert states(database, project_id) == ["active", "retired"]


def test_activating_the_active_version_changes_nothing(database: Database) -> None:
    with database.session() as session:
        version = make_version(session, make_project(session))
        since = version.activated_at
        assert activate(session, version.id).activated_at == since


def test_activating_touches_no_other_project(database: Database) -> None:
    with database.session() as session:
        one, other = make_project(session), make_project(session, "other")
        make_version(session, one)
        make_version(session, other)
    assert states(database, one) == states(database, other) == ["active"]


def test_an_activation_that_fails_half_way_leaves_the_old_one_active(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        make_version(session, project_id)
        candidate = make_version(session, project_id, active=False)
    with pytest.raises(RuntimeError), database.session() as session:
        activate(session, candidate.id)
        raise RuntimeError
    assert states(database, project_id) == ["active", "candidate"]


def test_activations_at_once_leave_exactly_one_active(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        ids = [make_version(session, project_id, active=False).id for _ in range(6)]

    def switch(number: int) -> str:
        with database.session() as session:
            return activate(session, ids[number]).state

    assert at_once(6, switch) == ["active"] * 6
    assert sorted(states(database, project_id)) == ["active"] + ["retired"] * 5


def test_the_database_itself_refuses_a_second_active_version(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        project_id = make_project(session)
        make_version(session, project_id)
        make_version(session, project_id, active=False).state = "active"


def test_only_a_candidate_can_be_rejected(database: Database) -> None:
    with database.session() as session:
        project_id = make_project(session)
        active, candidate = make_version(session, project_id), make_version(session, project_id, active=False)
        assert reject(session, candidate.id).state == "rejected"
        for version in (active, candidate):
            with pytest.raises(ValueError, match="only a candidate"):
                reject(session, version.id)


def test_a_version_that_is_referred_to_cannot_be_deleted(database: Database) -> None:
    with database.session() as session:
        parent = make_version(session, make_project(session))
        make_version(session, parent.project_id).parent_id = parent.id
    with pytest.raises(IntegrityError), database.session() as session:
        session.delete(session.get_one(PromptVersion, parent.id))


def test_a_version_that_does_not_exist_is_not_found(database: Database) -> None:
    with database.session() as session:
        for look in (get_version, activate, reject, lambda session, one: write_note(session, one, "")):
            with pytest.raises(NotFound, match="no prompt version 99"):
                look(session, 99)


def test_a_note_is_all_that_changes(database: Database) -> None:
    with database.session() as session:
        version = make_version(session, make_project(session))
        assert write_note(session, version.id, "  dark images\n").note == "dark images"
        assert (version.state, version.number) == ("active", 1)


def test_projects_that_lack_the_prompts_of_a_backbone_are_found(database: Database) -> None:
    with database.session() as session:
        having, lacking, resting = (make_project(session, name) for name in ("a", "b", "c"))
        make_version(session, having)
        archive_project(session, resting, True)
        assert projects_without_shipped(session, "f" * 64) == [lacking]
        assert projects_without_shipped(session, "e" * 64) == [having, lacking]
