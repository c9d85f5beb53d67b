"""A second person puts versions in service, where a project wants it so."""

import pytest

from db.errors import NotAwaiting, SecondPersonNeeded
from db.projects.projects import update_settings
from db.session import Database
from db.training.approvals import await_approval, awaiting, decline, note_decision, require_second_person
from db.training.prompt_versions import add_version
from db.training.runs import get_run
from db.webhooks.messages import EVENTS, add_webhook, list_messages
from tests.db.making import make_project, make_run


def waiting_version(session, author: str = "ada", **values: object):
    """A tuned version of a run that `author` started, in a project that wants a second person."""
    project_id = make_project(session)
    update_settings(session, project_id, {"second_person": True})
    given = {
        "origin": "tuned",
        "blob_key": "a/b",
        "sha256": "0" * 64,
        "backbone_name": "x",
        "backbone_fingerprint": "f",
    }
    version = add_version(session, project_id=project_id, author=author, **{**given, **values})
    run = make_run(session, project_id, author=author)
    run.candidate_version_id, run.decision = version.id, "Waits for a second person: better."
    await_approval(session, version)
    return version, run.id


@pytest.mark.parametrize(
    ("started_by", "by", "admin", "may"),
    [
        ("ada", "ada", True, False),
        ("ada", "bob", False, True),
        ("schedule", "bob", False, False),
        ("schedule", "bob", True, True),
    ],
)
def test_another_one_than_who_started_the_run_decides(
    database: Database, started_by: str, by: str, admin: bool, may: bool
) -> None:
    with database.session() as session:
        version, _ = waiting_version(session, started_by)
        if may:
            require_second_person(session, version, by, admin=admin)
        else:
            with pytest.raises(SecondPersonNeeded):
                require_second_person(session, version, by, admin=admin)
        update_settings(session, version.project_id, {"second_person": False})
        require_second_person(session, version, by, admin=admin)


def test_imported_versions_and_those_that_were_in_service_need_nobody(database: Database) -> None:
    with database.session() as session:
        version, _ = waiting_version(session, origin="imported")
        require_second_person(session, version, "ada", admin=True)


def test_what_was_decided_is_kept_and_told(database: Database) -> None:
    with database.session() as session:
        hook = add_webhook(session, project_id=None, url="http://x", events=list(EVENTS)).id
        version, run_id = waiting_version(session)
        with pytest.raises(SecondPersonNeeded, match="another user than ada"):
            decline(session, version.id, "ada", "no", admin=True)
        decline(session, version.id, "bob", "The camera moved.", admin=False)
        assert version.state == "rejected"
        assert get_run(session, run_id).decision.endswith("better. Declined by bob: The camera moved.")
        with pytest.raises(NotAwaiting, match=f"Version {version.number} waits for nobody"):
            awaiting(session, version.id)
        told = {one.event: one.body for one in list_messages(session, hook)}
    assert told["version.awaiting"]["started_by"] == "ada"
    assert (told["version.decided"]["approved"], told["version.decided"]["reason"]) == (False, "The camera moved.")


def test_an_approval_is_written_into_the_run(database: Database) -> None:
    with database.session() as session:
        version, run_id = waiting_version(session)
        note_decision(session, awaiting(session, version.id), "bob", None)
        assert get_run(session, run_id).decision.endswith("better. Put in service by bob.")
