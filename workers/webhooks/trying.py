"""A message at once, so that whoever set a webhook up sees what is sent, and what came of it."""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from db.projects.projects import get_project
from db.store import Store
from db.tables.webhooks import Webhook
from db.webhooks.messages import get_webhook
from settings import get_settings
from workers.errors import AddressRefused
from workers.webhooks import mqtt
from workers.webhooks.headers import headers_of
from workers.webhooks.outbound import post, refusal

EVENT = "test"


@dataclass(frozen=True)
class Tried:
    """A message that was sent once, whatever came of it.

    Attributes:
        address: where to: an http address, or a broker's topic.
        headers: of the request; of none to a broker.
        body: what was told.
        problem: why it was not taken, for people; empty: it was.
        milliseconds: until that was known.
    """

    address: str
    headers: dict[str, str]
    body: dict[str, Any]
    problem: str
    milliseconds: float


def try_webhook(store: Store, webhook_id: int) -> Tried:
    """Send a message of the event `test` now; it is not kept, and counts neither as a failure nor as a success.

    Raises:
        NotFound: there is no such webhook.
    """
    with store.session(read_only=True) as session:
        webhook = get_webhook(session, webhook_id)
        project = get_project(session, webhook.project_id).name if webhook.project_id else "-"
    body = {
        "id": 0,
        "event": EVENT,
        "at": datetime.now(UTC).isoformat(),
        "project": None if project == "-" else project,
        "station": webhook.station,
        "tells_of": webhook.events,
    }
    began = time.perf_counter()
    address, headers, problem = _sent(webhook, project, json.dumps(body).encode())
    return Tried(address, headers, body, problem, round(1000 * (time.perf_counter() - began), 1))


def _sent(webhook: Webhook, project: str, body: bytes) -> tuple[str, dict[str, str], str]:
    """Where it went, with which headers, and what is wrong; empty: nothing."""
    private = get_settings().webhook_private
    if mqtt.is_mqtt(webhook.url):
        topic = mqtt.topic_of(webhook.url, project, webhook.station, EVENT)
        try:
            mqtt.publish_once(webhook.url, topic, body, private=private)
        except (AddressRefused, mqtt.BrokerAway) as error:
            return topic, {}, str(error)
        return topic, {}, ""
    headers = headers_of(webhook.secret, EVENT, 0, body)
    try:
        status = post(webhook.url, body, headers, private=private)
    except (AddressRefused, httpx.HTTPError, httpx.InvalidURL) as error:
        return webhook.url, headers, str(error) or type(error).__name__
    return webhook.url, headers, refusal(status)
