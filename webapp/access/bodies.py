"""No request has a body larger than what it is for: it is refused while it comes in, before it fills a disk."""

from fastapi import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from settings import Settings
from webapp.access.rules import BODIES

_OTHER_MB = 1.0
# What a form adds to the file in it.
_FORM_MB = 1.0


def limit_of(rule: str, settings: Settings) -> int:
    """The most bytes that the body of a request may have.

    Args:
        rule: its name in the tables of rules.
        settings: where the limits of uploads are.
    """
    setting = BODIES.get(rule)
    megabytes = _OTHER_MB if setting is None else getattr(settings, setting) + _FORM_MB
    return round(megabytes * 1e6)


def too_large(limit: int) -> HTTPException:
    """The refusal."""
    return HTTPException(
        413,
        f"The request is larger than the {limit / 1e6:g} MB that it may have. Send less at once; an admin can raise "
        "ANOMALYLOOP_MAX_UPLOAD_MB and ANOMALYLOOP_MAX_IMPORT_MB.",
    )


def declared_size(request: Request) -> int:
    """What the request says of its body's size; 0 where it says nothing."""
    declared = request.headers.get("content-length", "0")
    return int(declared) if declared.isdecimal() else 0


def limited(receive: Receive, limit: int) -> Receive:
    """The same, but raises the refusal once more than `limit` bytes have come."""
    received = 0

    async def receive_some() -> Message:
        nonlocal received
        message = await receive()
        if message["type"] == "http.request":
            received += len(message.get("body", b""))
            if received > limit:
                raise too_large(limit)
        return message

    return receive_some
