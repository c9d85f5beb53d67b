"""What users prove who they are with: the cookie of a browser that is signed in, or the token of a program.

Of both only the sha256 is kept. That is enough, unlike for passwords: they are 256 random bits, which nobody guesses.
When they end and were used last goes by the database's clock (`db/clock.py`), so that all copies of the page agree.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from db.accounts.users import get_user
from db.clock import about_shared_now, shared_now
from db.errors import BadSetting, NotFound
from db.lookup import get_row
from db.tables.accounts import SCOPES, ApiToken, SignIn, User
from db.tables.core import Project

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


@dataclass(frozen=True)
class TokenReach:
    """What of its account's rights a token has.

    Attributes:
        scope: one of SCOPES.
        project_id: for this project alone; None: for all that its account sees.
        ends_at: from then on it opens nothing; None: it has no end.
    """

    scope: str = "all"
    project_id: int | None = None
    ends_at: datetime | None = None


ALL_RIGHTS = TokenReach()


def add_token(session: Session, user_id: int, name: str, reach: TokenReach = ALL_RIGHTS) -> NewToken:
    """A new token of a user for programs.

    Raises:
        NotFound: no such user, or no such project.
        BadSetting: there is no such scope, or it would have ended already.
    """
    user = get_user(session, user_id)
    if reach.scope not in SCOPES:
        raise BadSetting(f"There is no scope {reach.scope!r}. The scopes are {', '.join(SCOPES)}.")
    if reach.project_id is not None:
        get_row(session, Project, reach.project_id)
    if reach.ends_at is not None and reach.ends_at <= shared_now(session):
        raise BadSetting("The token would have ended before it was made. Choose an end that lies ahead.")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(user_id=user.id, name=name, secret_sha256=digest(secret), hint=secret[:_HINT], **vars(reach))
    session.add(token)
    session.flush()
    session.refresh(token, ["project"])
    return NewToken(token, secret)


def find_token(session: Session, secret: str) -> ApiToken | None:
    """The token of this secret, its user and its project, if it was not revoked and the user is not disabled.

    It may have ended: see `has_ended`.
    """
    whole = (contains_eager(ApiToken.user), joinedload(ApiToken.project))
    able = select(ApiToken).join(ApiToken.user).options(*whole).where(User.disabled_at.is_(None))
    return session.scalars(
        able.where(ApiToken.secret_sha256 == digest(secret), ApiToken.revoked_at.is_(None))
    ).one_or_none()


def has_ended(token: ApiToken) -> bool:
    """Whether it opens nothing any more, as its time is over."""
    return token.ends_at is not None and token.ends_at <= about_shared_now()


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
