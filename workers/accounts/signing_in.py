"""Signing in with name and password: who guesses has to wait, and nothing tells which names exist."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta

from db.accounts.credentials import add_sign_in
from db.accounts.login_attempts import Counter, begin_attempt, counters, fail_attempt, give_back, must_wait
from db.accounts.users import find_user, get_user, proper_user_name
from db.errors import BadName
from db.store import Store
from db.tables.accounts import User
from settings import Settings
from workers.accounts.known_browsers import is_known, place_of
from workers.accounts.passwords import hash_password, is_outdated, password_is
from workers.errors import LoginLocked, LoginRefused


@dataclass(frozen=True)
class Attempt:
    """A log-in as it was typed, and where it comes from.

    Attributes:
        name: as it was typed.
        password: as it was typed.
        address: an IP address, or what else is known of where it comes from.
        mark: of a browser that this user may have signed in with before; empty: none.
    """

    name: str
    password: str
    address: str
    mark: str = ""


def sign_in(store: Store, settings: Settings, attempt: Attempt) -> tuple[User, str]:
    """Check name and password and sign a browser in.

    Args:
        store: where the accounts are.
        settings: how many attempts there are, and how long a sign-in lasts.
        attempt: what was typed.

    Returns:
        The user, and the secret for the browser's cookie.

    Raises:
        LoginLocked: there were too many failures; the password was not looked at.
        LoginRefused: name or password is wrong, or the account is disabled.
    """
    user = confirm_password(store, settings, attempt)
    fresh = hash_password(attempt.password) if is_outdated(user.password_hash) else None
    with store.session() as session:
        current = get_user(session, user.id)
        if current.password_hash != user.password_hash:
            raise LoginRefused  # it was changed while we looked at it
        if fresh is not None:
            current.password_hash = fresh
        return current, add_sign_in(session, user.id, timedelta(hours=settings.session_hours))


def confirm_password(store: Store, settings: Settings, attempt: Attempt) -> User:
    """The user whose name and password these are. Arguments and errors are those of `sign_in`."""
    name = _spelling(attempt.name)
    wait = timedelta(minutes=settings.login_wait_minutes)
    with store.session(read_only=True) as session:
        user = find_user(session, name)
        counted = _counters(user, name, attempt, settings.login_attempts)
        until = must_wait(session, counted)
    if until is None:  # who has to wait writes nothing, however often they ask
        with store.session() as session:
            until = begin_attempt(session, counted, wait=wait)
    if until is not None:
        raise LoginLocked(until)
    right = password_is(user.password_hash if user else "", attempt.password)
    with store.session() as session:
        if user is None or not right or user.disabled_at is not None:
            fail_attempt(session, counted, wait=wait)
        else:
            give_back(session, counted)
            return user
    raise LoginRefused


def _counters(user: User | None, name: str, attempt: Attempt, limit: int) -> list[Counter]:
    """A browser that the user signed in with before has attempts of its own, whatever others do at its address."""
    if is_known(user, attempt.mark):
        return [Counter(name, place_of(attempt.mark), limit)]
    return counters(name, counted_address(attempt.address), limit)


def counted_address(address: str) -> str:
    """What failures are counted for: an IPv4 address, or the /64 of an IPv6 one, in which all are one machine's."""
    try:
        known = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    return str(ipaddress.ip_network((known, 64), strict=False))


def _spelling(name: str) -> str:
    try:
        return proper_user_name(name)
    except BadName:
        return "?"  # what no user can be called counts as one name
