"""Passwords: argon2id, by argon2-cffi with its own costs (RFC 9106, the low-memory ones: 64 MiB, 3 rounds)."""

import secrets
import threading
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from workers.errors import BadPassword

SHORTEST, LONGEST = 10, 500
_hasher = PasswordHasher()
# Each takes 64 MiB while it is looked at: many log-ins at once wait for each other.
_turns = threading.BoundedSemaphore(4)


def hash_password(password: str) -> str:
    """What is kept of a password. Raises BadPassword for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadPassword(f"A password has {SHORTEST} to {LONGEST} characters. Choose another; some words do well.")
    with _turns:
        return _hasher.hash(password)


def password_is(kept: str, password: str) -> bool:
    """Whether this is the password; takes the same time where none is kept, so that it tells nothing of who exists."""
    with _turns:
        try:
            return _hasher.verify(kept or _nobodys(), password[: LONGEST + 1]) and bool(kept)
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Whether it was made with other costs than those of now, and should be made anew."""
    return _hasher.check_needs_rehash(kept)


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))
