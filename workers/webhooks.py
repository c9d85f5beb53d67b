"""Delivering messages to webhooks, signed, and again later where that fails."""

import hashlib
import hmac
import json
import logging
import time
from datetime import timedelta

import httpx

from db.models import Webhook, WebhookMessage, utc_now
from db.store import Store
from db.webhooks import (
    add_webhook,
    due_messages,
    end_attempt,
    forget_old_messages,
    get_webhook,
    take_message,
)
from settings import get_settings
from workers.errors import AddressRefused
from workers.outbound import post, require_allowed

logger = logging.getLogger(__name__)

# Seconds from one attempt to the next; after the last one a message is given up.
PAUSES = (10, 30, 120, 600, 1800, 3600, 10_800, 21_600)
_AT_ONCE = 20


def make_webhook(store: Store, *, project_id: int | None, url: str, events: list[str]) -> Webhook:
    """A webhook whose address may be called. Raises AddressRefused, ValueError (an unknown event)."""
    require_allowed(url, private=get_settings().webhook_private)
    with store.session() as session:
        return add_webhook(session, project_id=project_id, url=url, events=events)


def deliver_due(store: Store) -> int:
    """Try every message whose time has come; how many were delivered."""
    delivered = 0
    with store.session(read_only=True) as session:
        due = due_messages(session, _AT_ONCE)
    for message in due:
        delivered += _attempt(store, message)
    if due:
        with store.session() as session:
            forget_old_messages(session)
    return delivered


def sign(secret: str, body: bytes, at: int) -> str:
    """The value of X-AnomalyLoop-Signature: the time, and HMAC-SHA256 over time, dot and body, in hex."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _attempt(store: Store, message: WebhookMessage) -> bool:
    last = message.attempts >= len(PAUSES)
    pause = PAUSES[min(message.attempts, len(PAUSES) - 1)]
    with store.session() as session:
        if not take_message(session, message, utc_now() + timedelta(seconds=pause)):
            return False
        webhook = get_webhook(session, message.webhook_id)
    problem = _send(webhook, message)
    state = "delivered" if not problem else "given_up" if last else "waiting"
    if state == "given_up":
        logger.error("Message %d to %s is given up: %s", message.id, webhook.url, problem)
    with store.session() as session:
        end_attempt(session, message.id, state=state, problem=problem)
    return not problem


def _send(webhook: Webhook, message: WebhookMessage) -> str:
    """What went wrong, for people; empty: it was taken."""
    told = {"id": message.id, "event": message.event, "at": message.created_at.isoformat(), **message.body}
    body = json.dumps(told).encode()
    headers = {
        "User-Agent": "AnomalyLoop",
        "X-AnomalyLoop-Event": message.event,
        "X-AnomalyLoop-Delivery": str(message.id),
        "X-AnomalyLoop-Signature": sign(webhook.secret, body, int(time.time())),
    }
    try:
        status = post(webhook.url, body, headers, private=get_settings().webhook_private)
    except (AddressRefused, httpx.HTTPError, httpx.InvalidURL) as error:
        return str(error) or type(error).__name__
    return "" if 200 <= status < 300 else f"It answered with status {status}."
