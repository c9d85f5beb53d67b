"""The gate: before anything else sees a request, it is known who makes it, and whether they may.

REST, the page and Gradio's own routes all lie behind it.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from fastapi import HTTPException
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from db.errors import NotFound
from settings import Settings
from webapp.access import bodies
from webapp.access.callers import LOCAL, NOBODY, SCOPE_KEY, Caller, Role
from webapp.access.csrf import SAFE_METHODS, is_foreign_host, is_foreign_write
from webapp.access.identity import BadToken, identify
from webapp.access.page_files import BadPayload, ForeignFile
from webapp.access.page_requests import UPLOAD, carries_event, looked_through, remembering
from webapp.access.permissions import IN_A_PROJECT, LEAST_ROLE, Permission, require
from webapp.access.projects import PERMISSION_KEY, require_by_path
from webapp.access.rate_limit import TooFast, rate_limit
from webapp.access.refusals import Refused
from webapp.access.rules import GRADIO, Rule, rule_of
from webapp.api.problems import problem, refused
from workers.accounts.managing import note
from workers.context import get_store

logger = logging.getLogger(__name__)

Unknown = Callable[[Request], Awaitable[Response]]
# Where an endpoint says what it worked on, for the audit log.
OBJECT_KEY = "anomalyloop.object"


# An address goes into logs and tables: a character that no address has is not written there.
_NO_ADDRESS = re.compile(r"[^\w.:%-]", re.ASCII)


def name_object(request: Request, name: str) -> None:
    """Have the audit log name this as what the request worked on; else it names the path."""
    request.scope[OBJECT_KEY] = name


def path_of(request: Request) -> str:
    """The path that the request will be routed by. `request.url` is made of the Host header too, which can lie."""
    path: str = request.scope["path"]
    return path


def address_of(request: Request) -> str:
    """Where a request comes from; behind a proxy that is trusted, what that says, which may be any text at all."""
    return _NO_ADDRESS.sub("?", request.client.host)[:60] if request.client else ""


class Gate:
    """ASGI middleware.

    Args:
        app: what lies behind.
        settings: of this process.
        accounts: whether people have to sign in; otherwise everyone is `local` and may do everything.
        check_host: without accounts, refuse requests that came by a name that is not this machine's own.
        unknown: answers requests that no rule is for.
    """

    def __init__(self, app: ASGIApp, settings: Settings, *, accounts: bool, check_host: bool, unknown: Unknown) -> None:
        self.app, self.settings, self.accounts, self.unknown = app, settings, accounts, unknown
        self.check_host = check_host and not accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what may not be; hand on the rest."""
        if scope["type"] == "websocket":  # nothing of ours uses them
            await WebSocketClose()(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        rule = rule_of(request.method, path_of(request))
        refusal = await self._refusal(request, rule)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if rule is None:
            await self.app(scope, receive, send)
            return
        receive = bodies.limited(receive, bodies.limit_of(rule.name, self.settings))
        if self._audited(request, rule):
            send = _noting(request, rule, send)
        if rule.name == UPLOAD:
            try:
                rate_limit.take(request.scope[SCOPE_KEY], self.settings, files=1, size=bodies.declared_size(request))
            except TooFast as error:
                await _too_fast(request, error)(scope, receive, send)
                return
            send = remembering(request, send)
        if carries_event(rule, request.method):
            try:
                receive = await looked_through(request, receive)
            except (ForeignFile, BadPayload, HTTPException) as error:
                await _bad_event(request, error)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _refusal(self, request: Request, rule: Rule | None) -> Response | None:
        if self.check_host and is_foreign_host(request, self.settings):
            return _foreign_host(request)
        if rule is None:
            if self.accounts or path_of(request).startswith("/gradio_api"):
                return await self.unknown(request)
            rule = Rule(path_of(request), Permission.OPEN)
        try:
            caller = await self._caller(request)
        except BadToken as error:
            return _not_signed_in(request, str(error))
        except SQLAlchemyError as error:
            logger.error("Nobody can be recognised while the database can't be asked: %s", error)
            return _no_database(request)
        request.scope[SCOPE_KEY], request.scope[PERMISSION_KEY] = caller, rule.permission
        if is_foreign_write(request, caller, self.settings):
            return _foreign_write(request)
        if (refusal := await _not_allowed(request, caller, rule)) is not None:
            return refusal
        limit = bodies.limit_of(rule.name, self.settings)
        if bodies.declared_size(request) > limit:
            detail = bodies.too_large(limit).detail
            return problem(request, 413, "too-large", "The request is too large", detail)
        return None

    async def _caller(self, request: Request) -> Caller:
        if not self.accounts:
            return LOCAL
        if path_of(request) == "/healthz":  # asks nobody, and waits for no thread
            return NOBODY
        return await run_in_threadpool(identify, get_store(), self.settings, request)

    def _audited(self, request: Request, rule: Rule) -> bool:
        """Writes; without accounts, when all are `local`, deletions alone. The page's events are noted elsewhere."""
        if request.method in SAFE_METHODS or rule.name in GRADIO or rule.permission is Permission.OPEN:
            return False
        return self.accounts or request.method == "DELETE"


def _noting(request: Request, rule: Rule, send: Send) -> Send:
    """Before it is answered that something was done, the audit log has it."""

    async def send_noted(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] < 400:
            caller: Caller = request.scope[SCOPE_KEY]
            await run_in_threadpool(
                note,
                get_store(),
                user_name=caller.name,
                via=caller.via,
                address=address_of(request),
                action=rule.name,
                object=request.scope.get(OBJECT_KEY, path_of(request)),
            )
        await send(message)

    return send_noted


def _not_signed_in(request: Request, why: str) -> Response:
    wants_page = request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")
    if wants_page and "authorization" not in request.headers:
        query = request.scope["query_string"].decode("latin-1")
        target = path_of(request) + (f"?{query}" if query else "")
        return RedirectResponse(f"/login?next={quote(target, safe='')}", 303)
    detail = f"{why} Sign in at /login, or send a token: Authorization: Bearer …"
    headers = {"WWW-Authenticate": "Bearer"}
    return problem(request, 401, "not-signed-in", "Sign in first", detail, headers=headers)


async def _not_allowed(request: Request, caller: Caller, rule: Rule) -> Response | None:
    if caller.role is Role.ANYONE and LEAST_ROLE[rule.permission] > Role.ANYONE:
        return _not_signed_in(request, "This needs an account.")
    try:
        if rule.permission not in IN_A_PROJECT or caller.sees_all:  # waits for no thread
            require(caller, rule.permission, caller.role)
        else:
            await run_in_threadpool(require_by_path, get_store(), caller, rule.permission, rule.ids)
    except Refused as error:
        return refused(request, error)
    except NotFound as error:
        return problem(request, 404, "not-found", "There is no such thing", str(error))
    return None


def _foreign_write(request: Request) -> Response:
    detail = (
        "A page of another site, or one that can't be told, made this request. Use this server's page, or a token. "
        "Behind a proxy that changes the host, set ANOMALYLOOP_PUBLIC_URL to the address that people use."
    )
    return problem(request, 403, "foreign-request", "The request is another site's", detail)


def _foreign_host(request: Request) -> Response:
    detail = (
        "Without accounts this server answers to 127.0.0.1 and localhost alone. Open it under one of these; behind a "
        "proxy, set ANOMALYLOOP_PUBLIC_URL to the address that people use."
    )
    return problem(request, 421, "foreign-host", "This server is not known by that name", detail)


def _too_fast(request: Request, error: TooFast) -> Response:
    headers = {"Retry-After": str(error.seconds)}
    return problem(request, 429, "too-fast", "Too much within a minute", str(error), headers=headers)


def _bad_event(request: Request, error: Exception) -> Response:
    if isinstance(error, ForeignFile):
        logger.warning("An event of %s named a file that it may not: refused.", request.scope[SCOPE_KEY].name)
        return problem(request, 403, "foreign-file", "The file was not uploaded by you", str(error))
    if isinstance(error, HTTPException):
        return problem(request, error.status_code, "unusable-event", "The event can't be read", str(error.detail))
    return problem(request, 422, "unusable-event", "The event can't be read", str(error))


def _no_database(request: Request) -> Response:
    detail = "The database can't be reached, so nobody can be recognised. Try again in a moment; see /readyz."
    return problem(request, 503, "no-database", "The database can't be reached", detail, headers={"Retry-After": "5"})
