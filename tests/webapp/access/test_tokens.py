"""What tokens reach: a scope, one project, until an end; and the sentences that say what one lacks."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from db.projects.projects import ensure_project
from db.tables.accounts import ApiToken
from db.tables.base import utc_now
from tests.pictures import png
from tests.webapp.people import People
from tests.webapp.rest import assert_problem

DAY = timedelta(days=1)


def made(people: People, **wanted: Any) -> dict[str, Any]:
    """A new token of the annotator, as REST tells of it."""
    path = f"/api/v1/users/{people.users['annotator'].id}/tokens"
    answer = people.clients["admin"].post(path, json={"name": "line 3", **wanted})
    assert answer.status_code == 201, answer.text
    return answer.json()


def bearer(token: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {token['token']}"}


def test_a_token_of_which_nothing_is_said_is_for_everything(people: People) -> None:
    token = made(people)
    assert (token["scope"], token["project"], token["ends_at"]) == ("all", None, None)
    me = people.clients["nobody"].get("/api/v1/me", headers=bearer(token)).json()
    assert (me["scope"], me["only_project"]) == ("all", None)


def test_what_a_token_is_for_is_listed(people: People) -> None:
    ends_at = (utc_now() + DAY).isoformat()
    token = made(people, scope="line", project="default", ends_at=ends_at)
    path = f"/api/v1/users/{people.users['annotator'].id}/tokens"
    newest = people.clients["admin"].get(path).json()[0]
    assert (newest["scope"], newest["project"]) == ("line", "default") and newest["ends_at"][:16] == ends_at[:16]
    assert newest == {name: value for name, value in token.items() if name != "token"}
    me = people.clients["nobody"].get("/api/v1/me", headers=bearer(token)).json()
    assert (me["scope"], me["only_project"], me["role"]) == ("line", "default", "annotator")


def test_a_token_of_the_line_uploads_and_reads_nothing(people: People) -> None:
    client, headers = people.clients["nobody"], bearer(made(people, scope="line"))
    assert client.post("/api/v1/images", files={"files": ("1.png", png(1))}, headers=headers).status_code == 201
    refused = client.get("/api/v1/images", headers=headers)
    assert_problem(refused, 403, "token-scope", "The token has the scope line", "scope read, annotate, all")
    korean = client.get("/api/v1/images", headers=headers | {"accept-language": "ko"})
    assert_problem(korean, 403, "token-scope", "이 토큰의 범위는 line")


def test_a_token_for_one_project_names_it(people: People) -> None:
    with people.installation.store.session() as session:
        ensure_project(session, "other")
    client, headers = people.clients["nobody"], bearer(made(people, scope="read", project="other"))
    assert client.get("/api/v1/images", params={"project": "other"}, headers=headers).status_code == 200
    for project in ("default", "none such"):
        refused = client.get("/api/v1/images", params={"project": project}, headers=headers)
        assert_problem(refused, 403, "token-project", "The token is for the project other alone")
    assert [one["name"] for one in client.get("/api/v1/projects", headers=headers).json()] == ["other"]
    assert 'project="default"' not in client.get("/metrics", headers=headers).text


def test_a_token_for_one_project_does_nothing_to_the_installation(people: People) -> None:
    path = f"/api/v1/users/{people.users['admin'].id}/tokens"
    token = people.clients["admin"].post(path, json={"name": "one", "project": "default"}).json()
    refused = people.clients["nobody"].get("/api/v1/users", headers=bearer(token))
    assert_problem(refused, 403, "token-project", "this concerns the whole installation")


def test_a_token_that_has_ended_opens_nothing_and_says_so(people: People) -> None:
    token = made(people, ends_at=(utc_now() + DAY).isoformat())
    client = people.clients["nobody"]
    assert client.get("/api/v1/me", headers=bearer(token)).status_code == 200
    with people.installation.store.session() as session:
        session.execute(update(ApiToken).where(ApiToken.id == token["id"]).values(ends_at=utc_now()))
    assert_problem(client.get("/api/v1/me", headers=bearer(token)), 401, "not-signed-in", "The token ended on ", "UTC")


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"scope": "everything"}, 422),
        ({"project": "none such"}, 404),
        ({"ends_at": "2020-01-01T00:00:00Z"}, 422),
        ({"ends_at": "2020-01-01"}, 422),
    ],
)
def test_a_token_that_could_open_nothing_is_not_made(wanted: dict[str, Any], status: int, people: People) -> None:
    path = f"/api/v1/users/{people.users['annotator'].id}/tokens"
    before = people.clients["admin"].get(path).json()
    assert people.clients["admin"].post(path, json={"name": "x", **wanted}).status_code == status
    assert people.clients["admin"].get(path).json() == before
