"""Answers that a browser may keep but has to ask about: a 304 when what it has is still right."""

import hashlib
from collections.abc import Callable

from fastapi import Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEEP_AND_ASK = "private, no-cache"


def revalidated(
    request: Request, etag: str, media_type: str, body: Callable[[], bytes], headers: dict[str, str] | None = None
) -> Response:
    """The bytes, or 304 where the browser has those of this `etag` already; then `body` is not called."""
    tag = f'"{etag}"'
    # nosniff: uploads are shown as what they are declared, never as a page.
    common = {"ETag": tag, "Cache-Control": _KEEP_AND_ASK, "X-Content-Type-Options": "nosniff", **(headers or {})}
    if _has(request.headers, tag):
        return Response(status_code=304, headers=common)
    return Response(body(), media_type=media_type, headers=common)


def _has(headers: Headers, tag: str) -> bool:
    known = [one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")]
    return tag in known


class RevalidatedJson:
    """ASGI middleware: a page that asks REST again and again is sent what it has got only once.

    The tag is a sum of the answer itself, so it is right whatever the answer depends on: rows, clock, role, language.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tag what is JSON and comes in one piece; a 304 for whoever has it."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith("/api/v1/"):
            await self.app(scope, receive, send)
            return
        start: Message | None = None

        async def send_tagged(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_json(message):
                start = message  # its headers need the body
                return
            if start is not None:
                message = _tagged(Headers(scope=scope), start, message)
                await send(start)
                start = None
            await send(message)

        await self.app(scope, receive, send_tagged)


def _is_json(start: Message) -> bool:
    return start["status"] == 200 and Headers(raw=start["headers"]).get("content-type") == "application/json"


def _tagged(asked: Headers, start: Message, body: Message) -> Message:
    """Writes the tag into `start`, or makes a 304 of it; returns the body to send."""
    if body.get("more_body"):
        return body
    headers = MutableHeaders(scope=start)
    headers["ETag"] = tag = f'"{hashlib.sha256(body["body"]).hexdigest()[:32]}"'
    headers["Cache-Control"] = _KEEP_AND_ASK
    if not _has(asked, tag):
        return body
    start["status"] = 304
    del headers["Content-Length"], headers["Content-Type"]
    return {**body, "body": b""}
