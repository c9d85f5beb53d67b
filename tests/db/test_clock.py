"""Machines whose clocks differ by minutes share one installation: what one holds, the other does not take."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from db.accounts.credentials import add_sign_in, find_sign_in, prolong
from db.accounts.login_attempts import begin_attempt, counters, fail_attempt, must_wait
from db.accounts.users import add_user
from db.clock import about_shared_now
from db.errors import UploadInProgress
from db.images.predictions import latest_scores
from db.images.upload_keys import take_key
from db.operations.pruning import prune_accounts
from db.projects.projects import get_project
from db.session import Database
from db.tables.accounts import SignIn
from db.training.runs import claim, finish, get_run, queued_runs
from db.webhooks.messages import add_webhook, due_messages, due_webhooks, note_failure, take_message, tell
from tests.db.making import make_annotation, make_image, make_prediction, make_project, make_run, make_version
from workers.training.runs import is_due

DAY = timedelta(days=1)
A_WHILE = timedelta(minutes=5)


@pytest.fixture(params=[-10, 10])
def elsewhere(request: pytest.FixtureRequest, database: Database, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call it to go to a machine whose clock is so many minutes off; again to come back."""
    if database.engine.dialect.name != "postgresql":
        pytest.skip("a SQLite file has one machine, and no clock")
    off = timedelta(minutes=request.param)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + off

    at = iter([Clock, datetime] * 5)
    yield lambda: monkeypatch.setattr("db.tables.base.datetime", next(at))
    monkeypatch.setattr("db.clock._ahead", timedelta(0))


def waiting_webhook(session: Session) -> int:
    """A webhook that there is something to tell."""
    project_id = make_project(session)
    webhook = add_webhook(session, project_id=project_id, url="http://hooks.example/", events=["run.finished"])
    tell(session, project_id, "run.finished", {})
    session.flush()
    return webhook.id


def test_what_is_told_elsewhere_is_due_here_at_once(database: Database, elsewhere: Any) -> None:
    elsewhere()
    with database.session() as session:
        webhook_id = waiting_webhook(session)
    elsewhere()
    with database.session() as session:
        assert due_webhooks(session) == [webhook_id] and len(due_messages(session, webhook_id, 9)) == 1


def test_a_message_that_is_being_sent_here_is_not_sent_elsewhere(database: Database, elsewhere: Any) -> None:
    with database.session() as session:
        webhook_id = waiting_webhook(session)
        [message] = due_messages(session, webhook_id, 9)
        assert take_message(session, message, A_WHILE)
    elsewhere()
    with database.session() as session:
        assert due_webhooks(session) == [] and due_messages(session, webhook_id, 9) == []


def test_a_webhook_rests_for_all_machines(database: Database, elsewhere: Any) -> None:
    with database.session() as session:
        webhook_id = waiting_webhook(session)
        assert not note_failure(session, webhook_id, rest=A_WHILE, dead_after=A_WHILE, problem="silent")
    elsewhere()
    with database.session() as session:
        assert due_webhooks(session) == []
        assert not note_failure(session, webhook_id, rest=A_WHILE, dead_after=A_WHILE, problem="silent")


def test_an_upload_that_is_under_way_elsewhere_is_not_done_twice(database: Database, elsewhere: Any) -> None:
    elsewhere()
    with database.session() as session:
        assert take_key(session, "a", "f", DAY) is None
    elsewhere()
    with database.session() as session, pytest.raises(UploadInProgress):
        take_key(session, "a", "f", DAY)


def test_who_has_to_wait_does_so_everywhere(database: Database, elsewhere: Any) -> None:
    counted = counters("ada", "192.0.2.1", 1)
    elsewhere()
    with database.session() as session:
        assert begin_attempt(session, counted, wait=A_WHILE) is None
        fail_attempt(session, counted, wait=A_WHILE)
    elsewhere()
    with database.session() as session:
        until = must_wait(session, counted)
    assert until is not None and timedelta(0) < until - datetime.now(UTC) <= A_WHILE


def test_a_run_was_queued_when_the_database_says(database: Database, elsewhere: Any) -> None:
    elsewhere()
    with database.session() as session:
        make_run(session, make_project(session))
        assert abs(about_shared_now() - datetime.now(UTC)) < timedelta(seconds=30)
    with database.session(read_only=True) as session:
        [run] = queued_runs(session)
    assert abs(run.created_at - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_sign_in_ends_when_the_database_says(database: Database, elsewhere: Any) -> None:
    elsewhere()
    with database.session() as session:
        secret = add_sign_in(session, add_user(session, "ada", "viewer", "x").id, A_WHILE)
    elsewhere()
    with database.session(read_only=True) as session:
        found = find_sign_in(session, secret)
    assert found is not None and timedelta(0) < found.expires_at - datetime.now(UTC) <= A_WHILE
    elsewhere()
    with database.session() as session:
        assert find_sign_in(session, secret) is not None, "it has not ended for a machine that is ahead"
        prolong(session, found.id, 2 * A_WHILE)
        assert prune_accounts(session, DAY) == 0
    elsewhere()
    with database.session(read_only=True) as session:
        prolonged = session.get(SignIn, found.id)
    assert prolonged is not None and A_WHILE < prolonged.expires_at - datetime.now(UTC) <= 2 * A_WHILE


def test_a_correction_of_elsewhere_waits_no_longer_and_no_shorter(database: Database, elsewhere: Any) -> None:
    elsewhere()
    with database.session() as session:
        project = get_project(session, make_project(session))
        project.settings = {"retrain_after": 9, "retrain_hours": 0.1}
        annotation = make_annotation(session, make_image(session, project.id, 1))
        assert abs(annotation.created_at - datetime.now(UTC)) < timedelta(seconds=30)
        assert not is_due(session, project)
    elsewhere()
    with database.session(read_only=True) as session:
        assert not is_due(session, get_project(session, project.id))


def test_the_last_prediction_is_the_last_wherever_it_was_made(database: Database, elsewhere: Any) -> None:
    elsewhere()
    with database.session() as session:
        project_id = make_project(session)
        image = make_image(session, project_id, 1)
        make_prediction(session, image, make_version(session, project_id), 0.25)
    elsewhere()
    with database.session() as session:
        make_prediction(session, image, make_version(session, project_id), 0.75)
        assert latest_scores(session, [image.id]) == {image.id: 0.75}
    elsewhere()
    with database.session() as session:
        made = make_prediction(session, image, make_version(session, project_id), 0.5)
        assert latest_scores(session, [image.id]) == {image.id: 0.5}
        assert abs(made.created_at - datetime.now(UTC)) < timedelta(seconds=30)


def test_a_run_has_ended_when_the_database_says(database: Database, elsewhere: Any) -> None:
    with database.session() as session:
        run = make_run(session, make_project(session))
        assert claim(session, run.id, "here", 30)
    elsewhere()
    with database.session() as session:
        assert finish(session, run.id, "here", state="failed", error="no")
    with database.session(read_only=True) as session:
        ended = get_run(session, run.id).finished_at
    assert ended is not None and abs(ended - datetime.now(UTC)) < timedelta(seconds=30)
