"""Every request gets an id, and its time is taken: for the logs and for Prometheus."""

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from webapp.api.metrics import METRICS
from workers.operations.tracing import for_request, proper_request_id

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_PREFIX = "/api/v1"
# Those that there is a series of figures for: a client may send any word as its method.
_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
# What changes nothing, or is the page's own traffic, is logged at DEBUG only.
_QUIET_METHODS = ("GET", "HEAD", "OPTIONS")


class RequestLog:
    """ASGI middleware: the caller's X-Request-ID, or a new one, in the logs, in the answer and with Celery's tasks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        identity = proper_request_id(Headers(scope=scope).get(HEADER))
        scope.setdefault("state", {})["request_id"] = identity
        started, status = time.perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = identity
            await send(message)

        with for_request(identity):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                _note(scope, status, time.perf_counter() - started)


def _note(scope: Scope, status: int, seconds: float) -> None:
    method, route = scope["method"], _route(scope)
    METRICS.latency.labels(method if method in _METHODS else "other", route, str(status)).observe(seconds)
    quiet = (method in _QUIET_METHODS or not scope["path"].startswith("/api/")) and status < 500
    facts = {"method": method, "path": scope["path"], "status": status, "ms": round(1000 * seconds, 1)}
    logger.log(logging.DEBUG if quiet else logging.INFO, "%s %s: %d", method, scope["path"], status, extra=facts)


def _route(scope: Scope) -> str:
    """The template of the path: few values, whatever is asked for."""
    template = getattr(scope.get("route"), "path", None)
    if not isinstance(template, str) or not template:
        return "page"
    # A route knows its path within its router alone.
    inside = scope["path"].startswith(_PREFIX) and not template.startswith("/api")
    return _PREFIX + template if inside else template
