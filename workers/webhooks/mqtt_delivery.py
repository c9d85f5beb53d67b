"""Delivering messages to an MQTT broker: in their order, and none is given up, however long the broker is away."""

import json
import logging
from datetime import timedelta

from db.store import Store
from db.tables.core import Project
from db.tables.webhooks import Webhook, WebhookMessage
from db.webhooks.messages import end_attempts, note_failure, note_success, take_messages
from settings import get_settings
from workers.errors import AddressRefused
from workers.webhooks import mqtt

logger = logging.getLogger(__name__)

# Messages that are sent before the broker has acknowledged the first of them; how many of these in one turn.
_TOGETHER, _ROUNDS = 100, 20
# Another process may send what this one took, and did not say that it was delivered, after so long.
_TAKEN_FOR = timedelta(seconds=60)
# Rests of a broker that is away, from one failure to the next.
_RESTS = (1, 2, 5, 10, 30)


def message_bytes(message: WebhookMessage) -> bytes:
    """What is told, as JSON: its id, which stays when it comes twice, the event, when it happened, and what."""
    told = {"id": message.id, "event": message.event, "at": message.created_at.isoformat(), **message.body}
    return json.dumps(told).encode()


def deliver_by_mqtt(store: Store, webhook: Webhook) -> int:
    """Publish what waits for a broker; how many messages it has acknowledged."""
    delivered = 0
    for _ in range(_ROUNDS):
        with store.session() as session:
            taken = take_messages(session, webhook.id, _TOGETHER, _TAKEN_FOR)
            ids = {message.body.get("project_id") for message in taken}
            names = {one: project.name for one in ids if one and (project := session.get(Project, one))}
        if not taken:
            break
        count, problem = _publish(webhook, taken, names)
        delivered += count
        with store.session() as session:
            ids_in_order = [message.id for message in taken]
            end_attempts(session, ids_in_order[:count], ids_in_order[count:], problem)
            if not problem:
                note_success(session, webhook.id)
                continue
            rest = timedelta(seconds=_RESTS[min(webhook.failures, len(_RESTS) - 1)])
            note_failure(session, webhook.id, rest=rest, dead_after=None, problem=problem)
        break
    return delivered


def _publish(webhook: Webhook, messages: list[WebhookMessage], names: dict[int, str]) -> tuple[int, str]:
    """How many of the first ones were acknowledged, and what is wrong; empty: nothing."""
    parts = [
        (
            mqtt.topic_of(
                webhook.url,
                names.get(message.body.get("project_id", 0), "-"),
                message.body.get("station"),
                message.event,
            ),
            message_bytes(message),
        )
        for message in messages
    ]
    try:
        count = mqtt.publish(webhook.id, webhook.url, parts, private=get_settings().webhook_private)
    except (AddressRefused, mqtt.BrokerAway) as error:
        return 0, str(error)
    return count, "" if count == len(parts) else "The broker did not acknowledge what it was sent."
