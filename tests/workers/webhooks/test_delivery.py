"""Webhooks: told once it happened, signed, again when nobody answers, and never led inside the network."""

import socket
import time
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from db.images.predictions import save_prediction
from db.projects.projects import update_settings
from db.tables.base import utc_now
from db.tables.webhooks import Webhook, WebhookMessage
from db.training.prompt_versions import active_version
from db.training.runs import request_cancel
from db.webhooks.messages import due_webhooks, enable_webhook, get_webhook, list_messages, list_webhooks
from settings import get_settings
from tests.conftest import Installation
from tests.workers.making import add, correct
from tests.workers.webhooks.listening import Receiver
from webapp.client import verify_webhook
from workers.errors import AddressRefused
from workers.scoring.engine_host import get_engine
from workers.training.runs import start_run
from workers.training.tuning_run import tune
from workers.webhooks.delivery import DEAD_AFTER, PAUSES, deliver_due, make_webhook
from workers.webhooks.outbound import is_public, require_allowed


@pytest.fixture
def webhook(installation: Installation, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Webhook:
    """It listens to all of a project whose images are told apart by a person's threshold."""
    monkeypatch.setattr(get_settings(), "webhook_private", True)
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"threshold": 0.5})
    return make_webhook(
        installation.store, project_id=None, url=receiver.url, events=["run.finished", "image.anomalous"]
    )


def predict(installation: Installation, image_id: int, score: float) -> None:
    with installation.store.session() as session:
        version = active_version(session, installation.project_id)
        assert version is not None
        save_prediction(
            session, image_id=image_id, prompt_version_id=version.id, score=score, map_blob_key="", map_max=score,
            engine_settings={},
        )  # fmt: skip


def message(installation: Installation, webhook: Webhook) -> WebhookMessage:
    with installation.store.session(read_only=True) as session:
        [found] = list_messages(session, webhook.id)
        return found


def test_the_end_of_a_run_is_told_signed(installation: Installation, receiver: Receiver, webhook: Webhook) -> None:
    correct(installation, 4)
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1)
    assert deliver_due(installation.store) == 0
    tune(installation.store, get_engine(), run_id)
    assert deliver_due(installation.store) == 1
    [told] = receiver.told
    assert (told["event"], told["run_id"], told["state"]) == ("run.finished", run_id, "succeeded")
    assert told["decision"]
    headers, body = receiver.heard[0]
    assert verify_webhook(webhook.secret, headers["x-anomalyloop-signature"], body)
    assert deliver_due(installation.store) == 0 and len(receiver.heard) == 1


def test_a_run_that_is_cancelled_is_told_too(installation: Installation, receiver: Receiver, webhook: Webhook) -> None:
    correct(installation, 1)
    run_id = start_run(installation.store, installation.project_id, trigger="manual")
    with installation.store.session() as session:
        request_cancel(session, run_id)
    deliver_due(installation.store)
    assert [told["state"] for told in receiver.told] == ["cancelled"]


def test_an_anomalous_image_is_told_once_and_a_normal_one_not(
    installation: Installation, receiver: Receiver, webhook: Webhook
) -> None:
    anomalous, normal = add(installation, seed=1), add(installation, seed=2)
    predict(installation, anomalous, 0.9)
    predict(installation, normal, 0.2)
    predict(installation, anomalous, 0.95)  # scored anew
    deliver_due(installation.store)
    [told] = receiver.told
    assert (told["event"], told["image_id"], told["score"], told["threshold"]) == (
        "image.anomalous",
        anomalous,
        0.9,
        0.5,
    )


def test_only_what_it_listens_to_is_told(installation: Installation, receiver: Receiver, webhook: Webhook) -> None:
    with installation.store.session() as session:
        session.execute(update(Webhook).values(events=["run.finished"]))
    predict(installation, add(installation), 0.9)
    assert deliver_due(installation.store) == 0


@pytest.mark.parametrize("fault", ["500", "redirect", "away"])
def test_what_is_not_taken_is_told_again_later(
    installation: Installation, receiver: Receiver, webhook: Webhook, fault: str
) -> None:
    predict(installation, add(installation), 0.9)
    if fault == "away":
        receiver.server.shutdown()
        receiver.server.server_close()
    receiver.status, receiver.location = {"500": (500, ""), "redirect": (302, receiver.url)}.get(fault, (200, ""))
    assert deliver_due(installation.store) == 0
    assert len(receiver.heard) == (0 if fault == "away" else 1)  # a redirect is not followed
    waiting = message(installation, webhook)
    assert (waiting.state, waiting.attempts) == ("waiting", 1) and waiting.problem
    assert 0 < (waiting.next_at - utc_now()).total_seconds() <= PAUSES[0]
    assert deliver_due(installation.store) == 0  # not yet
    if fault != "away":
        receiver.status, receiver.location = 200, ""
        make_due(installation)
        assert deliver_due(installation.store) == 1
        assert receiver.told[0]["id"] == receiver.told[1]["id"]


def make_due(installation: Installation) -> None:
    with installation.store.session() as session:
        session.execute(update(WebhookMessage).values(next_at=utc_now() - timedelta(seconds=1)))
        session.execute(update(Webhook).values(resting_until=None))


def seen(installation: Installation, webhook: Webhook) -> Webhook:
    with installation.store.session(read_only=True) as session:
        return get_webhook(session, webhook.id)


def test_dead_webhooks_hold_up_no_other(
    installation: Installation, receiver: Receiver, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]  # takes a connection and never answers
    monkeypatch.setattr("workers.webhooks.outbound._TIMEOUT", httpx.Timeout(2.0))
    for one in dead:
        url = f"http://127.0.0.1:{one.getsockname()[1]}/"
        make_webhook(installation.store, project_id=None, url=url, events=["image.anomalous"])
    for seed in range(5):
        predict(installation, add(installation, seed=seed), 0.9)
    started = time.monotonic()
    assert deliver_due(installation.store) == 5
    assert time.monotonic() - started < 6, "in one line they would have taken 40 s"
    with installation.store.session(read_only=True) as session:
        silent = [one for one in list_webhooks(session) if one.failures]
        assert len(silent) == 4 and all(one.resting_until and one.resting_until > utc_now() for one in silent)
        assert due_webhooks(session) == []
    for one in dead:
        one.close()


def test_the_pauses_of_a_silent_webhook_grow_and_end_with_a_success(
    installation: Installation, receiver: Receiver, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict(installation, add(installation), 0.9)
    pauses = []
    with monkeypatch.context() as patch:
        patch.setattr("workers.webhooks.delivery.post", silent)
        for _ in range(3):
            make_due(installation)
            deliver_due(installation.store)
            until = seen(installation, webhook).resting_until
            assert until is not None
            pauses.append(round((until - utc_now()).total_seconds()))
    assert pauses == list(PAUSES[:3])
    make_due(installation)
    assert deliver_due(installation.store) == 1
    assert (seen(installation, webhook).failures, seen(installation, webhook).failing_since) == (0, None)


def test_one_that_refuses_a_message_is_told_the_others(
    installation: Installation, receiver: Receiver, webhook: Webhook
) -> None:
    for seed in range(3):
        predict(installation, add(installation, seed=seed), 0.9)
    receiver.status = 500
    deliver_due(installation.store)
    assert len(receiver.heard) == 3


def test_a_dead_webhook_is_switched_off_with_a_note_and_on_again_by_a_person(
    installation: Installation, receiver: Receiver, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict(installation, add(installation, seed=1), 0.9)
    with installation.store.session() as session:
        session.execute(update(Webhook).values(failing_since=utc_now() - DEAD_AFTER, failures=8))
    with monkeypatch.context() as patch:
        patch.setattr("workers.webhooks.delivery.post", silent)
        deliver_due(installation.store)
    off = seen(installation, webhook)
    assert off.disabled_at is not None and "9 attempts" in off.note and "no answer" in off.note
    assert message(installation, webhook).state == "given_up"
    predict(installation, add(installation, seed=2), 0.9)
    assert message(installation, webhook).state == "given_up", "nothing more is kept for it"
    with installation.store.session() as session:
        enable_webhook(session, webhook.id, True)
    predict(installation, add(installation, seed=3), 0.9)
    assert deliver_due(installation.store) == 1 and seen(installation, webhook).note == ""


def silent(*_: object, **__: object) -> int:
    raise httpx.ConnectTimeout("no answer")


def test_after_the_last_attempt_it_is_given_up(
    installation: Installation, receiver: Receiver, webhook: Webhook
) -> None:
    predict(installation, add(installation), 0.9)
    receiver.status = 500
    with installation.store.session() as session:
        session.execute(update(WebhookMessage).values(attempts=len(PAUSES)))
    deliver_due(installation.store)
    assert message(installation, webhook).state == "given_up"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1/x", "inside"),
        ("http://localhost:9000", "inside"),
        ("https://10.0.0.7/", "inside"),
        ("http://169.254.169.254/latest/meta-data", "inside"),
        ("http://[::1]/", "inside"),
        ("http://[::ffff:127.0.0.1]/", "inside"),
        ("http://0.0.0.0/", "inside"),
        ("http://224.0.1.1/", "inside"),
        ("http://[ff02::1]/", "inside"),
        ("http://[ff0e::1]/", "inside"),
        ("http://[64:ff9b::10.0.0.7]/", "inside"),
        ("http://[64:ff9b:1::7f00:1]/", "inside"),
        ("http://[2002:7f00:1::]/", "inside"),
        ("http://[::127.0.0.1]/", "inside"),
        ("http://240.0.0.1/", "inside"),
        ("file:///etc/passwd", "only http"),
        ("gopher://example.org", "only http"),
        ("http://", "only http"),
        ("http://user:secret@example.org/", "user name"),
        ("http://no-such-name.invalid/", "resolved"),
        ("http://example.org:port/", "no URL"),
    ],
)
def test_what_leads_inside_or_is_no_web_address_is_not_called(url: str, why: str) -> None:
    with pytest.raises(AddressRefused, match=why):
        require_allowed(url, private=False)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(address)


def test_an_address_that_came_to_lead_inside_is_not_called(
    installation: Installation, receiver: Receiver, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict(installation, add(installation), 0.9)
    monkeypatch.setattr(get_settings(), "webhook_private", False)
    assert deliver_due(installation.store) == 0
    assert receiver.heard == [] and "ANOMALYLOOP_WEBHOOK_PRIVATE" in message(installation, webhook).problem
