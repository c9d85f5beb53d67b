"""Finds out who makes a request: by its token, or by the cookie of a browser that is signed in."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from db.accounts.credentials import find_sign_in, find_token, has_ended, note_use, prolong, use_is_old
from db.accounts.members import roles_in_closed_projects
from db.clock import about_shared_now
from db.store import Store
from db.tables.accounts import ApiToken, User
from settings import Settings
from webapp.access.callers import NOBODY, Caller, OneProject, Role, Scope
from webapp.access.notes import write_later

# How long a browser is known after its user last signed in with it.
_KNOWN_DAYS = 180


class BadToken(Exception):
    """A request has a token that opens nothing; the message says why."""


def identify(store: Store, settings: Settings, request: Request) -> Caller:
    """Who makes the request; NOBODY without a token and without a cookie that still counts. Asks the database.

    Raises:
        BadToken: it has a token, and that is unknown, revoked, of a disabled account, or has ended.
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
            raise BadToken("The token is unknown, was revoked, or is of a disabled account.")
        if has_ended(token):
            raise BadToken(f"The token ended on {token.ends_at:%Y-%m-%d %H:%M} UTC.")
        caller = replace(_caller(session, token.user, "token"), scope=Scope(token.scope), one_project=_only(token))
    if use_is_old(token):
        write_later(("token", token.id), lambda: _note_use(store, token.id))
    return caller


def _only(token: ApiToken) -> OneProject | None:
    return None if token.project is None else OneProject(token.project.id, token.project.name)


def _by_cookie(store: Store, settings: Settings, secret: str) -> Caller:
    with store.session(read_only=True) as session:
        sign_in = find_sign_in(session, secret)
        if sign_in is None:
            return NOBODY
        caller = _caller(session, sign_in.user, "session")
    lifetime = timedelta(hours=settings.session_hours)
    if sign_in.expires_at - about_shared_now() < lifetime / 2:  # seldom enough that looking at a picture writes nothing
        write_later(("sign-in", sign_in.id), lambda: _prolong(store, sign_in.id, lifetime))
    return caller


def _note_use(store: Store, token_id: int) -> None:
    with store.session() as session:
        note_use(session, token_id)


def _prolong(store: Store, sign_in_id: int, lifetime: timedelta) -> None:
    with store.session() as session:
        prolong(session, sign_in_id, lifetime)


def _caller(session: Session, user: User, via: str) -> Caller:
    """An admin of the installation is one in every project."""
    role = Role[user.role.upper()]
    closed = {} if role is Role.ADMIN else roles_in_closed_projects(session, user.id)
    there = {one: Role.ANYONE if its is None else Role[its.upper()] for one, its in closed.items()}
    return Caller(user.name, role, via, user.id, closed_projects=there)


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
