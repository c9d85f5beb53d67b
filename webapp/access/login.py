"""`/login` and `/logout`: for browsers. Programs use tokens."""

import logging
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from db.accounts.credentials import end_sign_in
from db.clock import about_shared_now
from webapp.access.callers import CallerDep
from webapp.access.gate import address_of
from webapp.access.identity import browser_mark, clear_cookie, cookie_name, mark_browser, set_cookie
from webapp.access.login_page import local_path, login_html
from webapp.api.dependencies import SettingsDep, StoreDep
from webapp.texts import texts_of
from workers.accounts.known_browsers import mark_for
from workers.accounts.managing import note
from workers.accounts.signing_in import Attempt, sign_in
from workers.errors import LoginLocked, LoginRefused

logger = logging.getLogger(__name__)
router = APIRouter(include_in_schema=False)


@router.get("/login")
def get_login(
    request: Request, caller: CallerDep, target: Annotated[str, Query(alias="next", max_length=2000)] = "/"
) -> Response:
    """The form; who is signed in already goes on."""
    if caller.via in ("session", "local"):
        return RedirectResponse(local_path(target), 303)
    return HTMLResponse(login_html(texts_of(request), target=target))


@router.post("/login")
def post_login(
    request: Request,
    store: StoreDep,
    settings: SettingsDep,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    target: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    """Sign the browser in and go on to `next`; or the form again, with the reason."""
    address = address_of(request)
    try:
        attempt = Attempt(name, password, address, browser_mark(request, settings))
        user, secret = sign_in(store, settings, attempt)
    except LoginRefused as error:
        # Not with the name: people type their password there.
        logger.warning("A log-in from %s was refused.", address)
        note(store, user_name="nobody", via="nobody", address=address, action="log-in refused")
        return HTMLResponse(login_html(texts_of(request), target=target, name=name, error=str(error)), 403)
    except LoginLocked as error:
        logger.warning("A log-in from %s was refused, as too many failed before.", address)
        headers = {"Retry-After": str(max(1, round((error.until - about_shared_now()).total_seconds())))}
        return HTMLResponse(login_html(texts_of(request), target=target, name=name, error=str(error)), 429, headers)
    note(store, user_name=user.name, via="session", address=address, action="signed in")
    answer = RedirectResponse(local_path(target), 303)
    set_cookie(answer, settings, secret)
    mark_browser(answer, settings, mark_for(user))
    return answer


@router.post("/logout")
def post_logout(request: Request, store: StoreDep, settings: SettingsDep, caller: CallerDep) -> Response:
    """Sign the browser out, here and in the database, and show the form."""
    secret = request.cookies.get(cookie_name(settings))
    if secret:
        with store.session() as session:
            end_sign_in(session, secret)
    if caller.via == "session":
        note(store, user_name=caller.name, via="session", address=address_of(request), action="signed out")
    answer = RedirectResponse("/login", 303)
    clear_cookie(answer, settings)
    return answer
