"""What comes and goes by Gradio's own routes: events are looked through before Gradio has them, uploads remembered."""

import json
import os

from fastapi import HTTPException
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import Message, Receive, Send

from webapp.access import bodies
from webapp.access.callers import SCOPE_KEY, Caller
from webapp.access.csrf import SAFE_METHODS
from webapp.access.page_files import PageFiles
from webapp.access.rate_limit import rate_limit
from webapp.access.rules import GRADIO, Rule

UPLOAD = "POST /gradio_api/upload"

page_files = PageFiles()


def carries_event(rule: Rule, method: str) -> bool:
    """Whether the body of such a request reaches Gradio's components: of all of its routes but the one for files."""
    return rule.name in GRADIO and rule.name != UPLOAD and method not in SAFE_METHODS


async def looked_through(request: Request, receive: Receive) -> Receive:
    """The body of an event, read as a whole, and given again when all the files in it are the caller's.

    Raises:
        ForeignFile: one of them is not.
        BadPayload: the body is no event.
        HTTPException: it is too large.
    """
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise HTTPException(400, "The request ended before its body did. Send it again.")
        body += message.get("body", b"")
        more = message.get("more_body", False)
    await run_in_threadpool(page_files.check, request.scope[SCOPE_KEY], bytes(body))
    messages = iter([{"type": "http.request", "body": bytes(body), "more_body": False}])

    async def receive_again() -> Message:
        message = next(messages, None)
        return message if message is not None else await receive()

    return receive_again


def remembering(request: Request, send: Send) -> Send:
    """Answers to an upload: the paths in them become the caller's own."""
    caller: Caller = request.scope[SCOPE_KEY]
    start: Message | None = None
    body = bytearray()

    async def send_kept(message: Message) -> None:
        nonlocal start
        if message["type"] == "http.response.start":
            start = message
            body.clear()
            return
        assert start is not None
        body.extend(message.get("body", b""))
        if message.get("more_body", False):
            return
        answer = bytes(body)
        if start["status"] == 200:
            answer = await run_in_threadpool(_kept, caller, answer, bodies.declared_size(request))
        headers = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        start["headers"] = [*headers, (b"content-length", str(len(answer)).encode())]
        await send(start)
        await send({"type": "http.response.body", "body": answer})

    return send_kept


def _kept(caller: Caller, answer: bytes, declared: int) -> bytes:
    kept = [page_files.keep(caller, path) for path in json.loads(answer)]
    size = 0 if declared else sum(os.stat(path).st_size for path in kept)
    rate_limit.add(caller, files=len(kept) - 1, size=size)
    return json.dumps(kept).encode()
