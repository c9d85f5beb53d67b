"""How often log-ins failed, for each name from each address: who guesses has to wait.

Kept in the database, so that all copies of the page count together, and a restart forgets nothing.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.account_models import LoginAttempts
from db.insert import insert_or_find
from db.models import utc_now

# Failures with any names that one address may have, as a multiple of those with one name.
ADDRESS_FACTOR = 10


def begin_attempt(session: Session, name: str, address: str, *, limit: int, wait: timedelta) -> datetime | None:
    """Count an attempt before its password is looked at, so that many at once are not more guesses.

    Args:
        session: a writing session.
        name: whom the attempt claims to be; a user of this name need not exist.
        address: where it comes from.
        limit: failures after which name and address have to wait.
        wait: how long; also how long failures count.

    Returns:
        None: look at the password, and call `forget_attempts` if it is right. Else: until when to wait.
    """
    waits = [
        _count(session, name, address, limit, wait),
        _count(session, "", address, limit * ADDRESS_FACTOR, wait),
    ]
    return max((until for until in waits if until is not None), default=None)


def forget_attempts(session: Session, name: str, address: str) -> None:
    """The password was right. What other names failed at from this address still counts."""
    session.execute(delete(LoginAttempts).where(LoginAttempts.name == name, LoginAttempts.address == address))
    session.execute(delete(LoginAttempts).where(LoginAttempts.first_at < utc_now() - timedelta(days=1)))


def _count(session: Session, name: str, address: str, limit: int, wait: timedelta) -> datetime | None:
    same = select(LoginAttempts).where(LoginAttempts.name == name, LoginAttempts.address == address)
    row, _ = insert_or_find(session, LoginAttempts(name=name, address=address), same)
    session.refresh(row, with_for_update=True)
    now = utc_now()
    if row.locked_until is not None and now < row.locked_until:
        return row.locked_until
    if row.locked_until is not None or now - row.first_at > wait:
        row.failures, row.first_at, row.locked_until = 0, now, None
    row.failures += 1
    if row.failures >= limit:
        row.locked_until = now + wait
    session.flush()
    return None
