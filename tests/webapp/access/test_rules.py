"""Every endpoint against every role, in one table; and every event of the page."""

from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from tests.conftest import Installation
from tests.webapp.people import People
from webapp.access.callers import Role
from webapp.access.events import event_name
from webapp.access.permissions import LEAST_ROLE, Permission
from webapp.access.rules import BODIES, ENDPOINTS, EVENTS, GRADIO
from webapp.server import build_api

# What each takes. Who has which permission: test_rights.py.
TABLE = {
    "GET /healthz": "open",
    "GET /readyz": "open",
    "GET /login": "open",
    "POST /login": "open",
    "GET /metrics": "overview",
    "GET /docs": "basic",
    "GET /docs/oauth2-redirect": "basic",
    "GET /openapi.json": "basic",
    "GET /ui/{asked}/{name:path}": "basic",
    "GET /api/v1/me": "basic",
    "PUT /api/v1/me/password": "account",
    "GET /api/v1/projects": "overview",
    "POST /api/v1/projects": "installation",
    "GET /api/v1/projects/{project_id}": "read",
    "PATCH /api/v1/projects/{project_id}": "settings",
    "GET /api/v1/projects/{project_id}/members": "settings",
    "PUT /api/v1/projects/{project_id}/members": "settings",
    "POST /api/v1/projects/{project_id}/verdict_rule/trial": "annotate",
    "GET /api/v1/projects/{project_id}/regions_of_interest": "read",
    "GET /api/v1/projects/{project_id}/region_of_interest": "read",
    "PUT /api/v1/projects/{project_id}/region_of_interest": "settings",
    "DELETE /api/v1/projects/{project_id}/region_of_interest": "settings",
    "GET /api/v1/images": "read",
    "GET /api/v1/images/people": "read",
    "POST /api/v1/images": "upload",
    "POST /api/v1/images/samples": "annotate",
    "POST /api/v1/inspect": "inspect",
    "POST /api/v1/images/retry": "annotate",
    "GET /api/v1/images/{image_id}": "read",
    "DELETE /api/v1/images/{image_id}": "annotate",
    "GET /api/v1/images/{image_id}/display": "read",
    "GET /api/v1/images/{image_id}/thumbnail": "read",
    "GET /api/v1/images/{image_id}/map": "read",
    "GET /api/v1/images/{image_id}/mask": "read",
    "GET /api/v1/images/{image_id}/region_of_interest": "read",
    "PUT /api/v1/images/{image_id}/annotation": "annotate",
    "PATCH /api/v1/images/{image_id}/annotation": "annotate",
    "PUT /api/v1/images/{image_id}/golden": "annotate",
    "GET /api/v1/defects": "read",
    "POST /api/v1/defects": "settings",
    "PATCH /api/v1/defects/{kind_id}": "settings",
    "DELETE /api/v1/defects/{kind_id}": "settings",
    "GET /api/v1/defects/counts": "read",
    "GET /api/v1/defects/counts.csv": "read",
    "GET /api/v1/runs": "read",
    "POST /api/v1/runs": "train",
    "GET /api/v1/runs/{run_id}": "read",
    "POST /api/v1/runs/{run_id}/cancel": "train",
    "GET /api/v1/prompts": "read",
    "PATCH /api/v1/prompts/{version_id}": "train",
    "POST /api/v1/prompts/{version_id}/activate": "settings",
    "POST /api/v1/prompts/{version_id}/approve": "train",
    "POST /api/v1/prompts/{version_id}/decline": "train",
    "GET /api/v1/prompts/{version_id}/comparison": "train",
    "POST /api/v1/prompts/import": "settings",
    "POST /api/v1/prompts/published": "settings",
    "GET /api/v1/models": "overview",
    "POST /api/v1/models": "installation",
    "DELETE /api/v1/models/change": "installation",
    "POST /api/v1/models/files": "installation",
    "GET /api/v1/threshold": "read",
    "PUT /api/v1/threshold": "settings",
    "GET /api/v1/export": "read",
    "POST /api/v1/import": "annotate",
    "GET /api/v1/webhooks": "installation",
    "POST /api/v1/webhooks": "installation",
    "PATCH /api/v1/webhooks/{webhook_id}": "installation",
    "DELETE /api/v1/webhooks/{webhook_id}": "installation",
    "GET /api/v1/webhooks/{webhook_id}/messages": "installation",
    "POST /api/v1/webhooks/{webhook_id}/test": "installation",
    "GET /api/v1/users": "users",
    "POST /api/v1/users": "users",
    "PATCH /api/v1/users/{user_id}": "users",
    "GET /api/v1/users/{user_id}/tokens": "users",
    "POST /api/v1/users/{user_id}/tokens": "users",
    "DELETE /api/v1/users/{user_id}/tokens/{token_id}": "users",
    "GET /api/v1/audit": "users",
    "GET /api/v1/audit/export": "users",
    "POST /logout": "open",  # the last, as it ends the browser's session
}
ROLE_OF = {"nobody": Role.ANYONE, "viewer": Role.VIEWER, "annotator": Role.ANNOTATOR, "admin": Role.ADMIN}
ROLE_OF["token"] = Role.ANNOTATOR


def endpoints_of(app: FastAPI) -> set[str]:
    """METHOD and path of all that the application answers to, what is not in its schema too."""
    found = set()
    for context in iter_route_contexts(app.routes):
        for method in (context.methods or set()) - {"HEAD", "OPTIONS"}:
            found.add(f"{method} {context.path}")
    return {name for name in found if not name.endswith("/api/{path:path}")}


def test_every_endpoint_is_in_the_table_and_in_the_rules() -> None:
    assert endpoints_of(build_api()) == set(TABLE)
    assert TABLE == ENDPOINTS


def test_every_large_body_is_one_of_an_endpoint() -> None:
    assert set(BODIES) <= ENDPOINTS.keys() | GRADIO.keys()


@pytest.mark.parametrize("who", list(ROLE_OF))
@pytest.mark.parametrize("endpoint", list(TABLE))
def test_who_may_do_what(endpoint: str, who: str, people: People) -> None:
    method, path = endpoint.split(" ", 1)
    least = LEAST_ROLE[Permission(TABLE[endpoint])]
    # Ids that do not exist: whoever gets past the gate is told that, and nothing is changed.
    for name in ("project_id", "image_id", "run_id", "version_id", "user_id", "token_id"):
        path = path.replace(f"{{{name}}}", "999999")
    body = {} if method in ("GET", "DELETE") or endpoint == "POST /logout" else {"json": {"project": "none such"}}
    answer = people.clients[who].request(method, path, **body)
    assert answer.status_code < 500 or endpoint == "GET /readyz", answer.text
    if ROLE_OF[who] >= least:
        assert answer.status_code not in (401, 403), answer.text
    elif who == "nobody":
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert answer.json()["type"].endswith(":not-signed-in")
    else:
        assert answer.status_code == 403 and answer.json()["type"].endswith(":not-allowed")
        assert f"takes the role {least.name.lower()}" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/nothing", "/api/v1/images/1/nothing", "/gradio_api/nothing"])
def test_what_no_rule_is_for_is_not_there(path: str, page_people: People) -> None:
    for client in page_people.clients.values():
        assert client.get(path).status_code == 404


# What each event of the page takes.
PAGE_EVENTS = {
    "webapp.page.layout._header": "overview",
    "webapp.texts.labels.Labels._in_language": "basic",
    "webapp.page.exchange._import": "annotate",
    "webapp.page.exchange.build_exchange.<locals>.<lambda>": "basic",
    "webapp.page.settings._read": "read",
    "webapp.page.settings._save": "settings",
    "webapp.page.settings._rule": "basic",
    "webapp.page.depth._read": "read",
    "webapp.page.depth._save": "settings",
    "webapp.page.approval._read": "read",
    "webapp.page.approval._save": "settings",
    "webapp.page.verdict_rule._read": "read",
    "webapp.page.verdict_rule._try": "annotate",
    "webapp.page.verdict_rule._save": "settings",
    "webapp.page.line._read": "read",
    "webapp.page.line._save": "settings",
    "webapp.page.settings._backbone": "read",
    "webapp.page.settings._operations": "read",
    "webapp.page.train._show": "read",
    "webapp.page.train._choose": "read",
    "webapp.page.train._compare": "train",
    "webapp.page.train._start": "train",
    "webapp.page.train._cancel": "train",
    "webapp.page.train._activate": "settings",
    "webapp.page.train._import": "settings",
    "webapp.page.train.build_train.<locals>.<lambda>": "basic",
}


@pytest.fixture(scope="module")
def events(shared: Installation) -> dict[str, int]:
    """Each event of the page, and its number in Gradio's queue."""
    from webapp.page.layout import build_page

    return {event_name(one.fn): number for number, one in build_page().fns.items() if one.fn is not None}


def test_every_event_of_the_page_is_in_the_table_and_in_the_rules(events: dict[str, int]) -> None:
    assert set(events) == set(PAGE_EVENTS)
    assert PAGE_EVENTS == EVENTS


@pytest.mark.parametrize("who", ["viewer", "annotator", "admin"])
@pytest.mark.parametrize("event", list(PAGE_EVENTS))
def test_who_may_cause_which_event(event: str, who: str, events: dict[str, int], page_people: People) -> None:
    may = ROLE_OF[who] >= LEAST_ROLE[Permission(PAGE_EVENTS[event])]
    said = happened(page_people, who, events[event])
    assert ("This takes the role" in said) is not may, said


def happened(people: People, who: str, number: int, data: list[object] | None = None) -> str:
    """Cause an event in Gradio's queue, as a page does; what came of it."""
    client, page = people.clients[who], uuid4().hex
    body = {"data": data or [None] * 8, "fn_index": number, "session_hash": page, "event_data": {"id": 999999}}
    joined = client.post("/gradio_api/queue/join", json=body)
    assert joined.status_code == 200, joined.text
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": page}) as stream:
        lines = []
        for line in stream.iter_lines():
            lines.append(line)
            if "process_completed" in line:
                break
    return "\n".join(lines)


def test_an_event_that_changes_something_is_in_the_audit_log(events: dict[str, int], page_people: People) -> None:
    happened(page_people, "annotator", events["webapp.page.train._cancel"])
    happened(page_people, "viewer", events["webapp.page.train._cancel"])
    newest = page_people.clients["admin"].get("/api/v1/audit", params={"limit": 1}).json()[0]
    assert (newest["user_name"], newest["via"]) == ("annotator", "session")
    assert (newest["action"], newest["object"]) == ("webapp.page.train._cancel", "project default")


def test_nobody_may_cause_an_event(events: dict[str, int], page_people: People) -> None:
    for path in ("/gradio_api/queue/join", "/gradio_api/run/predict", "/gradio_api/upload", "/gradio_api/cancel"):
        assert page_people.clients["nobody"].post(path, json={}).status_code == 401
    assert page_people.clients["nobody"].get("/gradio_api/queue/data").status_code == 401
