"""Projects that are for their members alone: others meet them nowhere."""

from uuid import uuid4

import pytest
from httpx import Client

from db.accounts.members import set_members
from db.projects.projects import add_project, ensure_project
from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.access.test_rules import events
from tests.webapp.people import People
from tests.webapp.rest import assert_problem
from webapp.access.permissions import Permission
from webapp.access.rules import EVENTS
from workers.images.intake import add_upload

__all__ = ["events"]
NAME = "secret product"
# A version of the project `default`, wherever an event names one.
OF_DEFAULT = {"id": 1, "first": 1, "second": 2}


@pytest.fixture
def closed(shared: Installation) -> tuple[int, int]:
    """A project that nobody is a member of, and an image of it."""
    store = shared.store
    with store.session() as session:
        project_id = ensure_project(session, NAME).id
        set_members(session, project_id, members_only=True, roles={})
    return project_id, add_upload(store, project_id, "secret.png", png(5)).image_id


def member(people: People, project_id: int, **roles: str) -> None:
    """An admin says who the members are."""
    wanted = {"members_only": True, "members": roles}
    answer = people.clients["admin"].put(f"/api/v1/projects/{project_id}/members", json=wanted)
    assert answer.status_code == 200 and answer.json() == wanted


def test_a_member_has_the_role_of_the_project_and_others_see_nothing(closed: tuple[int, int], people: People) -> None:
    project_id, image_id = closed
    member(people, project_id, viewer="annotator")
    viewer, annotator = people.clients["viewer"], people.clients["annotator"]
    assert viewer.put(f"/api/v1/images/{image_id}/annotation", json={"label": "normal"}).status_code == 201
    assert viewer.get("/api/v1/me", params={"project": NAME}).json()["project_role"] == "annotator"
    assert viewer.post("/api/v1/images", files={"files": ("7.png", png(7))}, data={"project": NAME}).status_code == 201
    refused = viewer.post("/api/v1/images", files={"files": ("7.png", png(7))}, data={"project": "default"})
    assert_problem(refused, 403, "not-allowed", "This takes the role annotator")

    assert annotator.get("/api/v1/me", params={"project": NAME}).json()["project_role"] is None
    missing = assert_problem(annotator.get(f"/api/v1/images/{image_id}"), 404, "not-found")
    never = assert_problem(annotator.get("/api/v1/images/999999"), 404, "not-found")
    assert missing["detail"].replace(str(image_id), "999999") == never["detail"]
    member(people, project_id)
    assert viewer.get(f"/api/v1/images/{image_id}").status_code == 404, "from the next request on"


@pytest.mark.parametrize("spelling", ["+{}", "%20{}", "{}.0", "00{}", "{}%20", "{}_", "٠{}"])
@pytest.mark.parametrize("path", ["images/{}", "images/{}/thumbnail", "images/{}/mask"])
def test_no_other_spelling_of_an_id_leads_there(
    path: str, spelling: str, closed: tuple[int, int], people: People
) -> None:
    for method in ("GET", "HEAD"):
        answer = people.clients["viewer"].request(method, f"/api/v1/{path.format(spelling.format(closed[1]))}")
        assert answer.status_code in (404, 422)


@pytest.mark.parametrize("path", ["projects", "projects?archived=true", "models", "me", "images", "runs", "prompts"])
def test_it_is_in_no_list(path: str, closed: tuple[int, int], people: People) -> None:
    answer = people.clients["viewer"].get(f"/api/v1/{path}")
    assert answer.status_code == 200 and NAME not in answer.text and "secret.png" not in answer.text


def test_it_is_in_no_figure(closed: tuple[int, int], people: People) -> None:
    viewer, admin = people.clients["viewer"], people.clients["admin"]
    assert NAME in admin.get("/metrics").text and NAME not in viewer.get("/metrics").text
    counted = [client.get("/api/v1/models").json()["rescoring"]["images"] for client in (viewer, admin)]
    assert counted[0] < counted[1]
    told = {one["detail"] for one in viewer.get("/readyz").json()["components"]}
    assert told == {"Who sees all projects is told more."}


def test_a_project_that_is_opened_again_keeps_its_members_for_later(closed: tuple[int, int], people: People) -> None:
    path, admin = f"/api/v1/projects/{closed[0]}/members", people.clients["admin"]
    member(people, closed[0], viewer="admin")
    assert admin.put(path, json={"members_only": False, "members": {"viewer": "admin"}}).status_code == 200
    mine = people.clients["viewer"].get(f"/api/v1/projects/{closed[0]}").json()
    assert (mine["role"], mine["members_only"]) == ("viewer", False)
    assert people.clients["viewer"].get(path).status_code == 403
    assert admin.get(path).json()["members"] == {"viewer": "admin"}


def test_an_admin_of_a_project_names_its_members_and_no_strangers(closed: tuple[int, int], people: People) -> None:
    path, viewer = f"/api/v1/projects/{closed[0]}/members", people.clients["viewer"]
    member(people, closed[0], viewer="admin")
    both = {"members_only": True, "members": {"viewer": "admin", "annotator": "viewer"}}
    assert viewer.put(path, json=both).status_code == 200
    newest = people.clients["admin"].get("/api/v1/audit", params={"limit": 1}).json()[0]
    assert newest["object"] == f"project {NAME}: members only; annotator (viewer), viewer (admin)"
    unknown = viewer.put(path, json={"members_only": True, "members": {"nobody at all": "viewer"}})
    assert_problem(unknown, 404, "not-found", "There is no user")
    assert viewer.put(path, json={"members_only": True, "members": {"viewer": "owner"}}).status_code == 422
    assert viewer.get(path).json() == both


IN_A_PROJECT = [name for name, takes in EVENTS.items() if takes in (Permission.READ, Permission.TRAIN)]


@pytest.mark.parametrize("event", IN_A_PROJECT)
def test_no_event_of_the_page_shows_it(
    event: str, closed: tuple[int, int], events: dict[str, int], page_people: People
) -> None:
    said = happened_in(page_people.clients["annotator"], NAME, events[event])
    missing = f"There is no project “{NAME}”"
    assert missing in said or event.endswith("settings._operations"), said
    assert NAME not in said.replace(missing, "")


def test_a_member_causes_the_events_of_the_project_alone(
    closed: tuple[int, int], events: dict[str, int], page_people: People
) -> None:
    member(page_people, closed[0], viewer="annotator")
    start = events["webapp.page.train._start"]
    assert "This takes the role annotator" in happened_in(page_people.clients["viewer"], "default", start)
    assert "This takes the role" not in happened_in(page_people.clients["viewer"], NAME, start)


def test_no_event_reaches_a_version_of_another_project(
    closed: tuple[int, int], events: dict[str, int], page_people: People
) -> None:
    with page_people.installation.store.session() as session:
        other = add_project(session, f"other {uuid4().hex}")
    member(page_people, closed[0], viewer="admin")
    activate = events["webapp.page.train._activate"]
    assert 'success":true' in happened_in(page_people.clients["viewer"], NAME, activate).replace(" ", "")
    default = page_people.clients["admin"].get("/api/v1/prompts").json()
    assert [version["activated_by"] for version in default] == ["local"], "nobody activated it"
    compare = events["webapp.page.train._compare"]
    said = happened_in(page_people.clients["admin"], other.name, compare)
    assert "There is no prompt version 1" in said


def happened_in(client: Client, project: str, number: int) -> str:
    """Cause an event as the page of a project does; what came of it."""
    page = uuid4().hex
    body = {"data": [None] * 8, "fn_index": number, "session_hash": page, "event_data": OF_DEFAULT}
    assert client.post("/gradio_api/queue/join", params={"project": project}, json=body).status_code == 200
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": page}) as stream:
        lines: list[str] = []
        for line in stream.iter_lines():
            lines.append(line)
            if "process_completed" in line:
                break
    return "\n".join(lines)
