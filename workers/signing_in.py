"""Signing in with name and password: who guesses has to wait, and nothing tells which names exist."""

from datetime import timedelta

from db.account_models import User
from db.credentials import add_sign_in
from db.errors import BadName
from db.login_attempts import begin_attempt, forget_attempts
from db.store import Store
from db.users import find_user, get_user, proper_user_name
from settings import Settings
from workers.errors import LoginLocked, LoginRefused
from workers.passwords import hash_password, is_outdated, password_is


def sign_in(store: Store, settings: Settings, name: str, password: str, address: str) -> tuple[User, str]:
    """Check name and password and sign a browser in.

    Args:
        store: where the accounts are.
        settings: how many attempts there are, and how long a sign-in lasts.
        name: as it was typed.
        password: as it was typed.
        address: where the attempt comes from.

    Returns:
        The user, and the secret for the browser's cookie.

    Raises:
        LoginLocked: there were too many failures; the password was not looked at.
        LoginRefused: name or password is wrong, or the account is disabled.
    """
    user = confirm_password(store, settings, name, password, address)
    fresh = hash_password(password) if is_outdated(user.password_hash) else None
    with store.session() as session:
        current = get_user(session, user.id)
        if current.password_hash != user.password_hash:
            raise LoginRefused  # it was changed while we looked at it
        if fresh is not None:
            current.password_hash = fresh
        return user, add_sign_in(session, user.id, timedelta(hours=settings.session_hours))


def confirm_password(store: Store, settings: Settings, name: str, password: str, address: str) -> User:
    """The user whose name and password these are. Arguments and errors are those of `sign_in`."""
    known_as = _spelling(name)
    wait = timedelta(minutes=settings.login_wait_minutes)
    with store.session() as session:
        until = begin_attempt(session, known_as, address, limit=settings.login_attempts, wait=wait)
    if until is not None:
        raise LoginLocked(until)
    user = _whose(store, known_as, password)
    if user is None:
        raise LoginRefused
    with store.session() as session:
        forget_attempts(session, known_as, address)
    return user


def _spelling(name: str) -> str:
    try:
        return proper_user_name(name)
    except BadName:
        return "?"  # what no user can be called counts as one name


def _whose(store: Store, name: str, password: str) -> User | None:
    with store.session(read_only=True) as session:
        user = find_user(session, name)
    right = password_is(user.password_hash if user else "", password)
    return user if user is not None and right and user.disabled_at is None else None
