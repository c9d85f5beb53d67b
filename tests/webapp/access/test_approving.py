"""Who may put in service, or decline, a version that waits for a second person; and what the audit log keeps of it."""

import pytest

from db.accounts.audit import list_entries
from db.projects.projects import update_settings
from db.training.approvals import await_approval
from db.training.prompt_versions import active_version
from tests.webapp.people import People
from tests.webapp.rest import assert_problem
from tests.workers.making import copy_of_active


@pytest.fixture
def waiting(people: People) -> tuple[int, str]:
    """The id of a version that waits, of a run that the annotator started; and its path."""
    installation = people.installation
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"second_person": True})
        version = copy_of_active(session, installation.project_id, author="annotator")
        await_approval(session, version)
        return version.id, f"/api/v1/prompts/{version.id}"


def test_a_version_is_declined_by_another_user_with_a_reason(people: People, waiting: tuple[int, str]) -> None:
    _, path = waiting
    annotator, admin = people.clients["annotator"], people.clients["admin"]
    assert_problem(
        annotator.post(f"{path}/decline", json={"reason": "mine"}), 409, "second-person-needed", "another user"
    )
    assert admin.post(f"{path}/decline", json={"reason": " "}).status_code == 422
    declined = admin.post(f"{path}/decline", json={"reason": "The camera moved."})
    assert declined.json()["state"] == "rejected"
    assert_problem(admin.post(f"{path}/approve"), 409, "not-awaiting")
    with people.installation.store.session(read_only=True) as session:
        last = next(one for one in list_entries(session) if "declined" in one.object)
    assert last.user_name == "admin" and "The camera moved." in last.object


def test_a_version_is_put_in_service_by_another_user(people: People, waiting: tuple[int, str]) -> None:
    version_id, path = waiting
    assert_problem(people.clients["annotator"].post(f"{path}/approve"), 409, "second-person-needed")
    answer = people.clients["admin"].post(f"{path}/approve")
    assert (answer.json()["state"], answer.json()["activated_by"]) == ("active", "admin"), answer.text
    with people.installation.store.session(read_only=True) as session:
        active = active_version(session, people.installation.project_id)
        entries = list_entries(session)
    assert active is not None and active.id == version_id
    assert any(one.user_name == "admin" and one.object.endswith("approved") for one in entries)
