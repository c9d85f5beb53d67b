"""Members of projects and what tokens reach, on both databases."""

from datetime import timedelta

import pytest

from db.accounts.credentials import TokenReach, add_token, find_token, has_ended
from db.accounts.members import list_members, roles_in_closed_projects, set_members
from db.accounts.users import add_user
from db.errors import BadSetting, NotFound
from db.session import Database
from db.tables.accounts import ApiToken, User
from db.tables.base import utc_now
from tests.db.making import make_project


@pytest.fixture
def people(database: Database) -> dict[str, User]:
    with database.session() as session:
        return {name: add_user(session, name, "viewer") for name in ("ada", "bob")}


def test_a_closed_project_is_told_to_all_with_the_role_of_each(database: Database, people: dict[str, User]) -> None:
    with database.session() as session:
        first, second, _ = (make_project(session, name) for name in ("first", "second", "open"))
        set_members(session, first, members_only=True, roles={"ADA": "admin"})
        set_members(session, second, members_only=True, roles={})
    with database.session(read_only=True) as session:
        assert roles_in_closed_projects(session, people["ada"].id) == {first: "admin", second: None}
        assert roles_in_closed_projects(session, people["bob"].id) == {first: None, second: None}
        assert list_members(session, first) == {"ada": "admin"}


def test_members_are_said_as_a_whole_and_kept_while_a_project_is_open(
    database: Database, people: dict[str, User]
) -> None:
    with database.session() as session:
        project_id = make_project(session)
        set_members(session, project_id, members_only=True, roles={"ada": "viewer", "bob": "viewer"})
        set_members(session, project_id, members_only=False, roles={"bob": "annotator"})
        assert roles_in_closed_projects(session, people["bob"].id) == {}
        assert list_members(session, project_id) == {"bob": "annotator"}


@pytest.mark.parametrize(("roles", "error"), [({"eve": "viewer"}, NotFound), ({"ada": "owner"}, BadSetting)])
def test_who_can_be_no_member_changes_nothing(
    database: Database, people: dict[str, User], roles: dict[str, str], error: type[Exception]
) -> None:
    with database.session() as session:
        project_id = make_project(session)
        set_members(session, project_id, members_only=True, roles={"bob": "viewer"})
    with pytest.raises(error), database.session() as session:
        set_members(session, project_id, members_only=False, roles=roles)
    with database.session(read_only=True) as session:
        assert list_members(session, project_id) == {"bob": "viewer"}
        assert roles_in_closed_projects(session, people["ada"].id) == {project_id: None}


def test_a_token_keeps_what_it_reaches_until_it_ends(database: Database, people: dict[str, User]) -> None:
    with database.session() as session:
        project_id = make_project(session)
        reach = TokenReach("line", project_id, utc_now() + timedelta(hours=1))
        secret = add_token(session, people["ada"].id, "line 3", reach).secret
    with database.session() as session:
        token = find_token(session, secret)
        assert token is not None and token.project is not None
        assert (token.scope, token.project.id) == ("line", project_id) and not has_ended(token)
        session.get_one(ApiToken, token.id).ends_at = utc_now() - timedelta(minutes=1)
        assert has_ended(token)


@pytest.mark.parametrize(
    ("reach", "error"),
    [
        (TokenReach("everything"), BadSetting),
        (TokenReach(project_id=999), NotFound),
        (TokenReach(ends_at=utc_now()), BadSetting),
    ],
)
def test_a_token_that_could_open_nothing_is_not_made(
    database: Database, people: dict[str, User], reach: TokenReach, error: type[Exception]
) -> None:
    with pytest.raises(error), database.session() as session:
        add_token(session, people["ada"].id, "x", reach)
