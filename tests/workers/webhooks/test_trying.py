"""A test message: sent once, shown whole, and nothing that counts."""

import pytest

from db.webhooks.messages import get_webhook, list_messages
from settings import get_settings
from tests.conftest import Installation
from tests.running import free_port
from tests.workers.webhooks.listening import Broker, Receiver
from webapp.client import verify_webhook
from workers.webhooks.delivery import make_webhook
from workers.webhooks.trying import try_webhook


@pytest.fixture(autouse=True)
def may_be_private(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_settings(), "webhook_private", True)


def test_what_is_shown_is_what_was_sent_signed(installation: Installation, receiver: Receiver) -> None:
    webhook = make_webhook(
        installation.store, project_id=installation.project_id, url=receiver.url, events=["run.finished"]
    )
    tried = try_webhook(installation.store, webhook.id)
    [(headers, body)] = receiver.heard
    assert tried.problem == "" and tried.address == receiver.url
    assert receiver.told == [tried.body] and tried.body["event"] == "test" and tried.body["project"] == "default"
    assert {name: headers[name.lower()] for name in tried.headers} == tried.headers
    assert verify_webhook(webhook.secret, headers["x-anomalyloop-signature"], body)


def test_a_refusal_is_said_and_does_not_count(installation: Installation, receiver: Receiver) -> None:
    webhook = make_webhook(installation.store, project_id=None, url=receiver.url, events=["run.finished"])
    receiver.status = 500
    assert try_webhook(installation.store, webhook.id).problem == "It answered with status 500."
    with installation.store.session(read_only=True) as session:
        assert get_webhook(session, webhook.id).failures == 0
        assert list_messages(session, webhook.id) == []


def test_nobody_there_is_said(installation: Installation) -> None:
    url = f"http://127.0.0.1:{free_port()}/hook"
    webhook = make_webhook(installation.store, project_id=None, url=url, events=["run.finished"])
    assert "refused" in try_webhook(installation.store, webhook.id).problem.lower()


def test_a_broker_gets_it_under_the_topic_that_is_shown(
    installation: Installation, receiver: Receiver, broker: Broker
) -> None:
    webhook = make_webhook(
        installation.store, project_id=installation.project_id, url=broker.url, events=["run.finished"], station="north"
    )
    heard = broker.listen()
    tried = try_webhook(installation.store, webhook.id)
    topic, _, retained = heard.get(timeout=10)
    assert (tried.problem, tried.address, topic, retained) == ("", topic, "plant/line/default/north/test", False)


def test_a_broker_that_is_away_is_said(installation: Installation) -> None:
    url = f"mqtt://127.0.0.1:{free_port()}/plant"
    webhook = make_webhook(installation.store, project_id=None, url=url, events=["run.finished"])
    assert try_webhook(installation.store, webhook.id).problem.startswith("The broker can't be reached")
