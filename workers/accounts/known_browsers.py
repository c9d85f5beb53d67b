"""Browsers that a user signed in with before, so that strangers who guess the name can't keep its owner out.

Such a browser has a mark, which is made from what is kept of the password: nobody else can make one, it is kept
nowhere, and a new password ends it. It opens nothing; it has its own few attempts.
"""

import hashlib
import hmac
import secrets

from db.tables.accounts import User


def mark_for(user: User) -> str:
    """A mark for a browser that this user has just signed in with."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_seal(user, nonce)}"


def is_known(user: User | None, mark: str) -> bool:
    """Whether the mark is one of this user."""
    nonce, _, seal = mark.partition(".")
    if user is None or not user.password_hash or not seal:
        return False
    return hmac.compare_digest(_seal(user, nonce).encode(), seal.encode("utf-8", "surrogateescape"))


def place_of(mark: str) -> str:
    """What attempts with this mark are counted for, in the place of an address."""
    return f"browser {hashlib.sha256(mark.encode('utf-8', 'surrogateescape')).hexdigest()[:40]}"


def _seal(user: User, nonce: str) -> str:
    said = f"{user.id}.{nonce}".encode("utf-8", "surrogateescape")
    return hmac.new(user.password_hash.encode(), said, hashlib.sha256).hexdigest()
