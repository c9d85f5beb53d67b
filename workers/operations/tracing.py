"""Which request and which run the code at hand works for: logs name them, and messages to workers carry them along."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_PROPER = re.compile(r"[A-Za-z0-9._-]{1,64}")

_request_id: ContextVar[str] = ContextVar("request_id", default="")
_run_id: ContextVar[int | None] = ContextVar("run_id", default=None)


def request_id() -> str:
    """The id of the request that this work is for; empty where it is for none."""
    return _request_id.get()


def run_id() -> int | None:
    """The run that this work is for, if it is for one."""
    return _run_id.get()


def proper_request_id(given: str | None) -> str:
    """The id that a caller gave its request, where it is a plain word; otherwise a new one."""
    return given if given is not None and _PROPER.fullmatch(given) else uuid.uuid4().hex[:16]


@contextmanager
def for_request(identity: str) -> Iterator[None]:
    """Within it, work is for this request."""
    token = _request_id.set(identity)
    try:
        yield
    finally:
        _request_id.reset(token)


@contextmanager
def for_run(number: int) -> Iterator[None]:
    """Within it, work is for this run."""
    token = _run_id.set(number)
    try:
        yield
    finally:
        _run_id.reset(token)
