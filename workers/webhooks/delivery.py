"""Delivering messages to webhooks, signed, and again later where that fails."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from enum import Enum

import httpx

from db.store import Store
from db.tables.webhooks import Webhook, WebhookMessage
from db.webhooks.messages import (
    add_webhook,
    due_messages,
    due_webhooks,
    end_attempt,
    forget_old_messages,
    get_webhook,
    note_failure,
    note_success,
    take_message,
)
from settings import get_settings
from workers.errors import AddressRefused
from workers.webhooks import mqtt
from workers.webhooks.headers import headers_of
from workers.webhooks.mqtt_delivery import deliver_by_mqtt, message_bytes
from workers.webhooks.outbound import post, refusal, require_allowed

logger = logging.getLogger(__name__)

# Seconds from one attempt to the next; after the last one a message is given up.
PAUSES = (10, 30, 120, 600, 1800, 3600, 10_800, 21_600)
# A webhook that took nothing for so long is switched off, with a note.
DEAD_AFTER = timedelta(seconds=sum(PAUSES))
# Messages to one webhook within one turn; webhooks that are told at the same time; seconds that a turn waits for them.
_AT_ONCE = 20
_LINES = 16
_WAIT_SECONDS = 8.0
_lines = ThreadPoolExecutor(_LINES, thread_name_prefix="webhooks")
_in_hand: set[int] = set()
_in_hand_lock = threading.Lock()


def make_webhook(
    store: Store,
    *,
    project_id: int | None,
    url: str,
    events: list[str],
    verdict: str | None = None,
    station: str | None = None,
) -> Webhook:
    """A webhook whose address, http or MQTT, may be called. Raises AddressRefused, ValueError (an unknown event)."""
    private = get_settings().webhook_private
    if mqtt.is_mqtt(url):
        mqtt.require_broker(url, private=private)
    else:
        require_allowed(url, private=private)
    with store.session() as session:
        return add_webhook(session, project_id=project_id, url=url, events=events, verdict=verdict, station=station)


def deliver_due(store: Store) -> int:
    """Try the messages whose time has come, each webhook's by itself; how many were delivered.

    A webhook that does not answer holds up its own alone. One that is slow goes on while this returns.
    """
    with store.session(read_only=True) as session:
        due = due_webhooks(session)
    with _in_hand_lock:
        free = [one for one in due if one not in _in_hand]
        _in_hand.update(free)
    lines = [_lines.submit(_deliver_line, store, webhook_id) for webhook_id in free]
    done = wait(lines, timeout=_WAIT_SECONDS).done
    if due:
        with store.session() as session:
            forget_old_messages(session)
    return sum(line.result() for line in done)


def _deliver_line(store: Store, webhook_id: int) -> int:
    """Some messages to one webhook, one after the other, until it fails to answer; how many it took."""
    try:
        delivered = 0
        with store.session(read_only=True) as session:
            webhook = get_webhook(session, webhook_id)
        if mqtt.is_mqtt(webhook.url):
            return deliver_by_mqtt(store, webhook)
        with store.session(read_only=True) as session:
            due = due_messages(session, webhook_id, _AT_ONCE)
        for message in due:
            outcome = _attempt(store, message)
            delivered += outcome is _Outcome.TAKEN
            if outcome is _Outcome.SILENT:
                break
        return delivered
    finally:
        with _in_hand_lock:
            _in_hand.discard(webhook_id)


def _attempt(store: Store, message: WebhookMessage) -> "_Outcome":
    last = message.attempts >= len(PAUSES)
    pause = timedelta(seconds=PAUSES[min(message.attempts, len(PAUSES) - 1)])
    with store.session() as session:
        if not take_message(session, message, pause):
            return _Outcome.ELSEWHERE
        webhook = get_webhook(session, message.webhook_id)
    try:
        problem, silent = _send(webhook, message), False
    except (AddressRefused, httpx.HTTPError, httpx.InvalidURL) as error:
        problem, silent = str(error) or type(error).__name__, True
    state = "delivered" if not problem else "given_up" if last else "waiting"
    if state == "given_up":
        logger.error("Message %d to webhook %d is given up: %s", message.id, webhook.id, problem)
    with store.session() as session:
        end_attempt(session, message.id, state=state, problem=problem)
        if not problem:
            note_success(session, webhook.id)
            return _Outcome.TAKEN
        # What answers is alive: its other messages need not wait for the one that it does not take.
        rest = timedelta(seconds=PAUSES[min(webhook.failures, len(PAUSES) - 1)]) if silent else timedelta(0)
        if note_failure(session, webhook.id, rest=rest, dead_after=DEAD_AFTER, problem=problem):
            logger.error("Webhook %d was switched off, as it took nothing for long: %s", webhook.id, problem)
            return _Outcome.SILENT
    return _Outcome.SILENT if silent else _Outcome.REFUSED


class _Outcome(Enum):
    TAKEN, REFUSED, SILENT, ELSEWHERE = range(4)


def _send(webhook: Webhook, message: WebhookMessage) -> str:
    """What its answer says is wrong, for people; empty: it was taken. Raises what `post` does where none comes."""
    body = message_bytes(message)
    headers = headers_of(webhook.secret, message.event, message.id, body)
    status = post(webhook.url, body, headers, private=get_settings().webhook_private)
    return refusal(status)
