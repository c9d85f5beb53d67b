"""Webhooks, and the messages to them: written in the transaction of what they tell of, so that none is lost.

Whose turn it is, and who rests for how long, goes by the database's clock (`db/clock.py`).
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Select, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from db.clock import shared_now
from db.lookup import get_row
from db.tables.webhooks import Webhook, WebhookMessage

Event = Literal["run.finished", "version.awaiting", "version.decided", "image.anomalous", "image.inspected"]
EVENTS: tuple[Event, ...] = get_args(Event)
# How long delivered messages, and those given up, can be looked at.
_KEPT_FOR = timedelta(days=7)
# Of every result there is one: those that were delivered are kept for less long.
_RESULTS_KEPT_FOR = timedelta(hours=1)
# Messages that wait for one webhook, at most: the oldest beyond that are given up.
_MOST_WAITING = 10_000


def add_webhook(
    session: Session,
    *,
    project_id: int | None,
    url: str,
    events: list[str],
    verdict: str | None = None,
    station: str | None = None,
) -> Webhook:
    """A webhook with a new secret.

    Args:
        session: a writing session.
        project_id: whose events it is told of; None: those of all projects.
        url: where to; whether it may be called is not asked here.
        events: of EVENTS.
        verdict: only of results with this verdict; None: of all.
        station: only of results of this station; None: of all.

    Raises:
        ValueError: an unknown event.
    """
    unknown = set(events) - set(EVENTS)
    if unknown:
        raise ValueError(f"There is no event {', '.join(sorted(unknown))}. The events are {', '.join(EVENTS)}.")
    webhook = Webhook(
        project_id=project_id,
        url=url,
        events=events,
        verdict=verdict,
        station=station,
        secret=secrets.token_urlsafe(32),
    )
    session.add(webhook)
    session.flush()
    return webhook


def list_webhooks(session: Session) -> list[Webhook]:
    """All of them, the oldest first."""
    return list(session.scalars(select(Webhook).order_by(Webhook.id)))


def get_webhook(session: Session, webhook_id: int) -> Webhook:
    """The webhook of this id; raises NotFound."""
    return get_row(session, Webhook, webhook_id)


def delete_webhook(session: Session, webhook_id: int) -> None:
    """Delete a webhook with its messages; raises NotFound."""
    session.delete(get_webhook(session, webhook_id))


def list_messages(session: Session, webhook_id: int, limit: int = 50) -> list[WebhookMessage]:
    """What was and is to be told to a webhook, the newest first."""
    messages = select(WebhookMessage).filter_by(webhook_id=webhook_id).order_by(WebhookMessage.id.desc()).limit(limit)
    return list(session.scalars(messages))


def listeners(session: Session, project_id: int, event: str) -> list[Webhook]:
    """The webhooks that are told of this event of this project; none of those that are switched off."""
    ours = select(Webhook).where(or_(Webhook.project_id.is_(None), Webhook.project_id == project_id))
    return [one for one in session.scalars(ours.where(Webhook.disabled_at.is_(None))) if event in one.events]


def tell(session: Session, project_id: int, event: str, body: dict[str, Any]) -> None:
    """Write a message to each webhook that listens; it is sent when this transaction is over."""
    told = [one for one in listeners(session, project_id, event) if _wants(one, body)]
    if told:
        now = shared_now(session)
        messages = [{"webhook_id": one.id, "event": event, "body": body} for one in told]
        session.add_all(WebhookMessage(**one, created_at=now, next_at=now) for one in messages)


def _wants(webhook: Webhook, body: dict[str, Any]) -> bool:
    """Whether it hears of this; what is no result has neither verdict nor station, and passes."""
    filters = {"verdict": webhook.verdict, "station": webhook.station}
    return all(wanted is None or body.get(name, wanted) == wanted for name, wanted in filters.items())


def due_webhooks(session: Session) -> list[int]:
    """The ids of those that there is something to tell now, and that don't rest."""
    now = shared_now(session)
    awake = or_(Webhook.resting_until.is_(None), Webhook.resting_until <= now)
    due = (
        select(Webhook.id)
        .join(WebhookMessage, WebhookMessage.webhook_id == Webhook.id)
        .where(Webhook.disabled_at.is_(None), awake)
        .where(WebhookMessage.state == "waiting", WebhookMessage.next_at <= now)
        .distinct()
    )
    return list(session.scalars(due))


def due_messages(session: Session, webhook_id: int, limit: int) -> list[WebhookMessage]:
    """Its messages whose time has come, the oldest first."""
    due = select(WebhookMessage).filter_by(webhook_id=webhook_id, state="waiting")
    due = due.where(WebhookMessage.next_at <= shared_now(session))
    return list(session.scalars(due.order_by(WebhookMessage.next_at, WebhookMessage.id).limit(limit)))


def take_message(session: Session, message: WebhookMessage, pause: timedelta) -> bool:
    """Take a message for an attempt; False where another worker did. After the pause it comes again, if it must."""
    mine = (WebhookMessage.id == message.id, WebhookMessage.attempts == message.attempts)
    taken = (
        update(WebhookMessage)
        .where(*mine, WebhookMessage.state == "waiting")
        .values(attempts=message.attempts + 1, next_at=shared_now(session) + pause)
        .returning(WebhookMessage.id)
    )
    return session.scalar(taken) is not None


def take_messages(session: Session, webhook_id: int, limit: int, pause: timedelta) -> list[WebhookMessage]:
    """Take the oldest that wait, in their order, as `take_message` does."""
    now = shared_now(session)
    due = select(WebhookMessage).filter_by(webhook_id=webhook_id, state="waiting").where(WebhookMessage.next_at <= now)
    due = due.order_by(WebhookMessage.id).limit(limit).with_for_update(skip_locked=True)
    messages = list(session.scalars(due))
    for message in messages:
        message.attempts, message.next_at = message.attempts + 1, now + pause
    return messages


def end_attempts(session: Session, delivered: Sequence[int], again: Sequence[int], problem: str) -> None:
    """Messages (by id) that were delivered, and those that come again as soon as their webhook does."""
    now = shared_now(session)
    for ids, values in (
        (delivered, {"state": "delivered", "delivered_at": now, "problem": ""}),
        (again, {"next_at": now, "problem": problem}),
    ):
        session.execute(update(WebhookMessage).where(WebhookMessage.id.in_(ids)).values(**values))


def end_attempt(session: Session, message_id: int, *, state: str, problem: str = "") -> None:
    """Write how an attempt ended: `delivered`, `waiting` for the next one, or `given_up`."""
    values = {"state": state, "problem": problem, "delivered_at": shared_now(session) if state == "delivered" else None}
    session.execute(update(WebhookMessage).where(WebhookMessage.id == message_id).values(**values))


def note_success(session: Session, webhook_id: int) -> None:
    """It took a message: all that it failed at before is forgotten."""
    well = {"failures": 0, "failing_since": None, "resting_until": None, "note": ""}
    session.execute(update(Webhook).where(Webhook.id == webhook_id, Webhook.failures > 0).values(**well))


def note_failure(
    session: Session, webhook_id: int, *, rest: timedelta, dead_after: timedelta | None, problem: str
) -> bool:
    """It did not take a message.

    Args:
        session: a writing session.
        webhook_id: which one.
        rest: for how long nothing is sent there.
        dead_after: one that has failed for so long without a success is switched off; what waits for it is given up.
            None: never, and nothing that waits is given up.
        problem: what went wrong, for people.

    Returns:
        Whether it was switched off.
    """
    webhook = session.get(Webhook, webhook_id, with_for_update=True)
    if webhook is None or webhook.disabled_at is not None:
        return False
    now = shared_now(session)
    webhook.failures += 1
    webhook.failing_since = webhook.failing_since or now
    webhook.resting_until = now + rest
    if dead_after is None:
        webhook.note = problem
        return False
    _give_up(session, _waiting(webhook_id).order_by(WebhookMessage.id.desc()).offset(_MOST_WAITING), "Too many waited.")
    if now - webhook.failing_since < dead_after:
        return False
    webhook.disabled_at = now
    webhook.note = (
        f"It took nothing since {webhook.failing_since:%Y-%m-%d %H:%M} UTC, in {webhook.failures} attempts, and was "
        f"switched off ({problem}). See to it, then switch it on again."
    )
    _give_up(session, _waiting(webhook_id), "The webhook was switched off.")
    return True


def enable_webhook(session: Session, webhook_id: int, enabled: bool) -> Webhook:
    """Tell it of what happens from now on, or nothing more; raises NotFound."""
    webhook = get_webhook(session, webhook_id)
    webhook.failures, webhook.failing_since, webhook.resting_until, webhook.note = 0, None, None, ""
    webhook.disabled_at = None if enabled else shared_now(session)
    if not enabled:
        _give_up(session, _waiting(webhook_id), "The webhook was switched off.")
    session.flush()
    return webhook


def _waiting(webhook_id: int) -> Select[int]:
    return select(WebhookMessage.id).filter_by(webhook_id=webhook_id, state="waiting")


def _give_up(session: Session, message_ids: Select[int], problem: str) -> None:
    ids = list(session.scalars(message_ids))
    for start in range(0, len(ids), 500):
        some = WebhookMessage.id.in_(ids[start : start + 500])
        session.execute(update(WebhookMessage).where(some).values(state="given_up", problem=problem))


def forget_old_messages(session: Session) -> None:
    """Delete messages that ended long ago."""
    old = WebhookMessage.created_at < shared_now(session) - _KEPT_FOR
    results = and_(
        WebhookMessage.created_at < shared_now(session) - _RESULTS_KEPT_FOR,
        WebhookMessage.event == "image.inspected",
        WebhookMessage.state == "delivered",
    )
    session.execute(delete(WebhookMessage).where(or_(and_(old, WebhookMessage.state != "waiting"), results)))
