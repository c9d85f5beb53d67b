"""What users prove who they are with: the cookie of a browser that is signed in, or the token of a program.

Of both only the sha256 is kept. That is enough, unlike for passwords: they are 256 random bits, which nobody guesses.
When they end and were used last goes by the database's clock (`db/clock.py`), so that all copies of the page agree.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, contains_eager

from db.accounts.users import get_user
from db.clock import about_shared_now, shared_now
from db.errors import NotFound
from db.lookup import get_row
from db.tables.accounts import ApiToken, SignIn, User

# How tokens begin, so that people and scanners of leaked secrets know them.
TOKEN_PREFIX = "aloop_"
_HINT = len(TOKEN_PREFIX) + 4
# How often the time of a token's last use is written down.
_USE_STEP = timedelta(minutes=10)


@dataclass(frozen=True)
class NewToken:
    """A token that was made just now, with the secret that is never shown again."""

    token: ApiToken
    secret: str


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def add_sign_in(session: Session, user_id: int, lifetime: timedelta) -> str:
    """Sign a browser in; returns its secret. Sign-ins that have ended are cleared away."""
    now = shared_now(session)
    session.execute(delete(SignIn).where(SignIn.expires_at < now))
    secret = secrets.token_urlsafe(32)
    session.add(SignIn(user_id=user_id, secret_sha256=digest(secret), expires_at=now + lifetime))
    session.flush()
    return secret


def find_sign_in(session: Session, secret: str) -> SignIn | None:
    """The sign-in of this secret and its user, if it has not ended and the user is not disabled."""
    able = select(SignIn).join(SignIn.user).options(contains_eager(SignIn.user)).where(User.disabled_at.is_(None))
    return session.scalars(
        able.where(SignIn.secret_sha256 == digest(secret), SignIn.expires_at > shared_now(session))
    ).one_or_none()


def prolong(session: Session, sign_in_id: int, lifetime: timedelta) -> None:
    """Let a sign-in last from now on; fine when it is gone."""
    sign_in = session.get(SignIn, sign_in_id)
    if sign_in is not None:
        sign_in.expires_at = shared_now(session) + lifetime


def end_sign_in(session: Session, secret: str) -> None:
    """Sign a browser out; fine when it is out already."""
    session.execute(delete(SignIn).where(SignIn.secret_sha256 == digest(secret)))


def add_token(session: Session, user_id: int, name: str) -> NewToken:
    """A new token of a user for programs. Raises NotFound."""
    user = get_user(session, user_id)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(user_id=user.id, name=name, secret_sha256=digest(secret), hint=secret[:_HINT])
    session.add(token)
    session.flush()
    return NewToken(token, secret)


def find_token(session: Session, secret: str) -> ApiToken | None:
    """The token of this secret and its user, if it was not revoked and the user is not disabled."""
    able = select(ApiToken).join(ApiToken.user).options(contains_eager(ApiToken.user)).where(User.disabled_at.is_(None))
    return session.scalars(
        able.where(ApiToken.secret_sha256 == digest(secret), ApiToken.revoked_at.is_(None))
    ).one_or_none()


def use_is_old(token: ApiToken) -> bool:
    """Whether the time of its last use should be written down again."""
    return token.last_used_at is None or about_shared_now() - token.last_used_at > _USE_STEP


def note_use(session: Session, token_id: int) -> None:
    """Write down that a token is in use."""
    token = session.get(ApiToken, token_id)
    if token is not None:
        token.last_used_at = shared_now(session)


def revoke_token(session: Session, user_id: int, token_id: int) -> None:
    """End a token of a user; fine when it has ended already. Raises NotFound."""
    token = get_row(session, ApiToken, token_id)
    if token.user_id != user_id:
        raise NotFound("api token", token_id)
    token.revoked_at = token.revoked_at or shared_now(session)
