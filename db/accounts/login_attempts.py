"""How often log-ins failed, for each name from each address: who guesses has to wait.

Kept in the database, so that all copies of the page count together, and a restart forgets nothing; and by the
database's clock (`db/clock.py`), so that a wait is as long for each of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from db.clock import shared_now
from db.insert import insert_or_find
from db.tables.accounts import LoginAttempts

# Failures with any names that one address may have, as a multiple of those with one name. Many people may be behind an
# address, and each of their log-ins counts as one while its password is looked at.
ADDRESS_FACTOR = 20
# What has as many log-ins under way as it may have failures is asked to come again after so long.
_BUSY = timedelta(seconds=5)


@dataclass(frozen=True)
class Counter:
    """What failures are counted for.

    Attributes:
        name: whom an attempt claims to be, whether such a user exists or not; empty: anyone.
        address: where it comes from.
        limit: failures after which it has to wait.
    """

    name: str
    address: str
    limit: int


def counters(name: str, address: str, limit: int) -> list[Counter]:
    """What an attempt from an address counts for: the name from there, and all names from there together."""
    return [Counter(name, address, limit), Counter("", address, limit * ADDRESS_FACTOR)]


def must_wait(session: Session, counted: Sequence[Counter]) -> datetime | None:
    """Until when an attempt has to wait; None: it need not. Writes nothing."""
    rows = [session.scalars(_same(counter)).one_or_none() for counter in counted]
    now = shared_now(session)
    waits = [row.locked_until for row in rows if row is not None and row.locked_until is not None]
    return max((until for until in waits if until > now), default=None)


def begin_attempt(session: Session, counted: Sequence[Counter], *, wait: timedelta) -> datetime | None:
    """Count an attempt before its password is looked at, so that many at once are not more guesses.

    Args:
        session: a writing session.
        counted: what it counts for.
        wait: for how long failures count.

    Returns:
        None: look at the password, then call `fail_attempt` or `give_back`. Else: until when to wait.
    """
    rows = [_current(session, counter, wait) for counter in counted]
    until = must_wait(session, counted)
    if until is not None:
        return until
    if any(row.failures >= counter.limit for row, counter in zip(rows, counted, strict=True)):
        return shared_now(session) + _BUSY
    for row in rows:
        row.failures += 1
    session.flush()
    return None


def fail_attempt(session: Session, counted: Sequence[Counter], *, wait: timedelta) -> None:
    """The password was wrong: what has failed as often as it may waits for so long."""
    for counter in counted:
        row = session.scalars(_same(counter).with_for_update()).one_or_none()
        if row is not None and row.failures >= counter.limit and row.locked_until is None:
            row.locked_until = shared_now(session) + wait
    session.flush()


def give_back(session: Session, counted: Sequence[Counter]) -> None:
    """The password was right: the name's failures are forgotten, and the attempt counts for nothing else."""
    for counter in counted:
        row = session.scalars(_same(counter).with_for_update()).one_or_none()
        if row is not None and counter.name:
            session.delete(row)
        elif row is not None:
            row.failures = max(0, row.failures - 1)


def _same(counter: Counter) -> Select[LoginAttempts]:
    return select(LoginAttempts).where(LoginAttempts.name == counter.name, LoginAttempts.address == counter.address)


def _current(session: Session, counter: Counter, wait: timedelta) -> LoginAttempts:
    """The counter's row, held; it begins anew where its failures are of long ago, or its wait is over."""
    now = shared_now(session)
    new = LoginAttempts(name=counter.name, address=counter.address, first_at=now)
    row, _ = insert_or_find(session, new, _same(counter))
    session.refresh(row, with_for_update=True)
    over = now >= row.locked_until if row.locked_until is not None else now - row.first_at > wait
    if over:
        row.failures, row.first_at, row.locked_until = 0, now, None
    return row
