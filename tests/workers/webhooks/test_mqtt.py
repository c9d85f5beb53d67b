"""MQTT with the real Mosquitto: what is told, in which order, and that a broker that was away misses nothing."""

import json
import queue
from collections.abc import Iterator

import pytest
from sqlalchemy import update

from db.tables.base import utc_now
from db.tables.webhooks import Webhook
from db.webhooks.messages import list_messages, tell
from settings import get_settings
from tests.conftest import Installation
from tests.running import wait_until
from tests.workers.making import add
from tests.workers.webhooks.listening import Broker
from workers.errors import AddressRefused
from workers.scoring.scorer import score_unscored
from workers.webhooks import mqtt
from workers.webhooks.delivery import deliver_due, make_webhook


@pytest.fixture
def outlet(installation: Installation, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    monkeypatch.setattr(get_settings(), "webhook_private", True)
    made = make_webhook(installation.store, project_id=None, url=broker.url, events=["image.inspected"])
    yield made
    mqtt.forget(made.id)


def happen(installation: Installation, *numbers: int) -> None:
    with installation.store.session() as session:
        for number in numbers:
            tell(session, installation.project_id, "image.inspected", {"project_id": 1, "n": number, "station": "a/b"})


def states(installation: Installation, webhook: Webhook) -> list[str]:
    with installation.store.session(read_only=True) as session:
        return [message.state for message in list_messages(session, webhook.id, 1000)]


def awake(installation: Installation) -> None:
    """As if the rest after a failure were over."""
    with installation.store.session() as session:
        session.execute(update(Webhook).values(resting_until=utc_now()))


def numbers(heard: "queue.Queue[tuple[str, bytes, bool]]") -> list[int]:
    found = []
    while not heard.empty():
        topic, payload, _ = heard.get()
        if not topic.endswith("/status"):
            found.append(json.loads(payload)["n"])
    return found


def test_a_result_is_published_where_its_project_and_station_say(
    installation: Installation, broker: Broker, outlet: Webhook
) -> None:
    heard = broker.listen()
    image_id = add(installation)
    score_unscored(installation.store, installation.project_id, 1)
    assert deliver_due(installation.store) == 1
    found = {topic: (payload, retained) for topic, payload, retained in (heard.get(timeout=5) for _ in range(2))}
    assert found["plant/line/status"][0] == b"online"
    told = json.loads(found["plant/line/default/-/image.inspected"][0])
    assert (
        told["image_id"] == image_id and told["event"] == "image.inspected" and told["verdict"] is None and told["id"]
    )
    assert states(installation, outlet) == ["delivered"]
    topic, payload, retained = broker.listen().get(timeout=5)  # who comes later is told the status at once
    assert (topic, payload, retained) == ("plant/line/status", b"online", True)
    mqtt.forget(outlet.id)
    assert heard.get(timeout=5)[:2] == ("plant/line/status", b"offline")


def test_a_broker_that_was_away_misses_nothing_and_hears_it_in_order(
    installation: Installation, broker: Broker, outlet: Webhook
) -> None:
    happen(installation, 0)
    assert deliver_due(installation.store) == 1
    broker.end()
    happen(installation, *range(1, 251))
    for _ in range(3):
        awake(installation)
        assert deliver_due(installation.store) == 0
    assert states(installation, outlet).count("waiting") == 250
    broker.start()
    heard = broker.listen()
    awake(installation)
    wait_until(lambda: deliver_due(installation.store) >= 0 and "waiting" not in states(installation, outlet), "told")
    wait_until(lambda: heard.qsize() >= 251, "heard")
    assert numbers(heard) == list(range(1, 251))


def test_a_broker_that_is_away_for_days_is_not_given_up(
    installation: Installation, broker: Broker, outlet: Webhook
) -> None:
    broker.end()
    happen(installation, 1)
    with installation.store.session() as session:
        long_ago = utc_now().replace(year=2020)
        session.execute(update(Webhook).values(failures=50, failing_since=long_ago, resting_until=long_ago))
    assert deliver_due(installation.store) == 0 and states(installation, outlet) == ["waiting"]
    with installation.store.session(read_only=True) as session:
        row = session.get_one(Webhook, outlet.id)
        assert row.disabled_at is None and "can't be reached" in row.note


def test_a_name_can_not_lead_elsewhere(outlet: Webhook) -> None:
    assert mqtt.topic_of(outlet.url, "a/b+#", "x/#", "e") == "plant/line/a_b__/x__/e"
    assert mqtt.topic_of("mqtt://broker", "p", None, "e") == "anomalyloop/p/-/e"


@pytest.mark.parametrize("url", ["mqtt://", "mqtt://127.0.0.1:99999", "mqtt://127.0.0.1/a/#", "mqtts://127.0.0.1?x=1"])
def test_an_address_that_is_no_brokers_is_refused(installation: Installation, url: str) -> None:
    with pytest.raises(AddressRefused):
        make_webhook(installation.store, project_id=None, url=url, events=["run.finished"])


def test_a_broker_inside_the_network_needs_the_setting_and_its_password_is_not_shown(
    installation: Installation,
) -> None:
    with pytest.raises(AddressRefused, match="WEBHOOK_PRIVATE") as refused:
        make_webhook(installation.store, project_id=None, url="mqtt://me:secret@127.0.0.1", events=["run.finished"])
    assert "secret" not in str(refused.value) and "me" in mqtt.shown_url("mqtt://me:secret@127.0.0.1")
