"""Finds out who makes a request: by its token, or by the cookie of a browser that is signed in."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from db.accounts.credentials import find_sign_in, find_token, note_use, prolong, use_is_old
from db.clock import about_shared_now
from db.store import Store
from db.tables.accounts import User
from settings import Settings
from webapp.access.callers import NOBODY, Caller, Role
from webapp.access.notes import write_later

# How long a browser is known after its user last signed in with it.
_KNOWN_DAYS = 180


class BadToken(Exception):
    """A request has a token that opens nothing."""


def identify(store: Store, settings: Settings, request: Request) -> Caller:
    """Who makes the request; NOBODY without a token and without a cookie that still counts. Asks the database.

    Raises:
        BadToken: it has a token, and that is unknown, revoked, or of a disabled account.
    """
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return _by_token(store, secret.strip())
    cookie = request.cookies.get(cookie_name(settings))
    return _by_cookie(store, settings, cookie) if cookie else NOBODY


def _by_token(store: Store, secret: str) -> Caller:
    with store.session(read_only=True) as session:
        token = find_token(session, secret)
    if token is None:
        raise BadToken
    if use_is_old(token):
        write_later(("token", token.id), lambda: _note_use(store, token.id))
    return _caller(token.user, "token")


def _by_cookie(store: Store, settings: Settings, secret: str) -> Caller:
    with store.session(read_only=True) as session:
        sign_in = find_sign_in(session, secret)
    if sign_in is None:
        return NOBODY
    lifetime = timedelta(hours=settings.session_hours)
    if sign_in.expires_at - about_shared_now() < lifetime / 2:  # seldom enough that looking at a picture writes nothing
        write_later(("sign-in", sign_in.id), lambda: _prolong(store, sign_in.id, lifetime))
    return _caller(sign_in.user, "session")


def _note_use(store: Store, token_id: int) -> None:
    with store.session() as session:
        note_use(session, token_id)


def _prolong(store: Store, sign_in_id: int, lifetime: timedelta) -> None:
    with store.session() as session:
        prolong(session, sign_in_id, lifetime)


def _caller(user: User, via: str) -> Caller:
    return Caller(user.name, Role[user.role.upper()], via, user.id)


def cookie_name(settings: Settings) -> str:
    """With https, a name that browsers let no other host, path or plain-http page set."""
    return "__Host-anomalyloop" if _https(settings) else "anomalyloop"


def set_cookie(response: Response, settings: Settings, secret: str) -> None:
    """Sign the browser in. No script reads the cookie, and no other site's form sends it."""
    response.set_cookie(cookie_name(settings), secret, path="/", secure=_https(settings), httponly=True, samesite="lax")


def clear_cookie(response: Response, settings: Settings) -> None:
    """Sign the browser out."""
    response.delete_cookie(cookie_name(settings), path="/", secure=_https(settings), httponly=True, samesite="lax")


def browser_mark(request: Request, settings: Settings) -> str:
    """By what a user's own browser is known, even where strangers guess at the name; empty: it was never theirs."""
    return request.cookies.get(f"{cookie_name(settings)}-known", "")[:200]


def mark_browser(response: Response, settings: Settings, mark: str) -> None:
    """Have the browser keep the mark, for longer than it stays signed in."""
    name, days = f"{cookie_name(settings)}-known", _KNOWN_DAYS
    response.set_cookie(
        name, mark, max_age=86_400 * days, path="/", secure=_https(settings), httponly=True, samesite="lax"
    )


def _https(settings: Settings) -> bool:
    return settings.public_url.startswith("https://")
