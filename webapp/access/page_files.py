"""Which files the page's events may name: those that their own user uploaded to the page, and no others.

Gradio takes a path in any value, whatever the component: it reads, copies and hashes the file before a function of ours
is called, and asks whose it is only of pages that it serves by itself. So every payload passes here first.
"""

import json
import math
import os
import secrets
import stat
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from webapp.access.callers import Caller

# Values lie within one another this deep at most, and there are so many of them; the page's own are five deep, and an
# import of a thousand files has nine thousand. Gradio goes through all of them several times, and meanwhile answers
# nobody.
_DEPTH, _VALUES = 50, 50_000


class ForeignFile(Exception):
    """An event names a file that its user did not upload."""

    def __init__(self) -> None:
        super().__init__(
            "The event names a file that you did not upload to this page, or that is not there any more. Nothing was "
            "read or changed. Choose the file again."
        )


class BadPayload(Exception):
    """What should be an event is not one."""

    def __init__(self) -> None:
        super().__init__(
            "The body is not JSON, is nested too deeply, or has too many values. Reload the page and try again."
        )


class PageFiles:
    """What each user uploaded to the page of this process; after a restart of it, files are chosen again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of: defaultdict[str, set[str]] = defaultdict(set)

    def keep(self, caller: Caller, path: str) -> str:
        """Remember a file that Gradio has just taken in from this user.

        It is moved into a folder of its own: Gradio gives the same file of two users the same path.

        Args:
            caller: who uploaded it.
            path: where Gradio put it.

        Returns:
            Where it is now.
        """
        before = Path(path)
        own = before.parent.parent / secrets.token_hex(16)
        own.mkdir(mode=0o700)
        after = str(before.rename(own / before.name))
        with self._lock:
            self._of[caller.name].add(after)
        return after

    def check(self, caller: Caller, body: bytes) -> None:
        """Look through the body of a request to Gradio.

        Raises:
            ForeignFile: something in it names a file that is not the caller's.
            BadPayload: it can't be looked through.
        """
        try:
            payload = json.loads(body, parse_constant=_finite, parse_float=_finite)
        except (ValueError, RecursionError):
            raise BadPayload from None
        for named in _files_in([payload]):
            if not self._may(caller, named):
                raise ForeignFile

    def _may(self, caller: Caller, named: dict[str, Any]) -> bool:
        path = named.get("path")
        if path is None and named.get("url") is None:
            return True  # the place for a file, with none in it
        if not isinstance(path, str) or named.get("is_stream"):
            return False
        with self._lock:
            known = path in self._of[caller.name]
        return known and _is_file(path)


def _finite(number: str) -> float:
    """A number of JSON, which knows no NaN and no infinity; Python would read them, and Gradio could not answer."""
    if not math.isfinite(found := float(number)):
        raise ValueError(number)
    return found


def _files_in(payload: Any) -> Iterator[dict[str, Any]]:
    """Whatever in it names a file, or might do so for some component."""
    todo, values = [(payload, 0)], 0
    while todo:
        value, depth = todo.pop()
        values += len(value)
        if depth > _DEPTH or values > _VALUES:
            raise BadPayload
        inner: Iterable[Any] = value
        if isinstance(value, dict):
            if "path" in value or "url" in value:
                yield value
            inner = value.values()
        todo.extend((one, depth + 1) for one in inner if isinstance(one, dict | list))


def _is_file(path: str) -> bool:
    """A regular file itself; not a link to one, and nothing that never ends."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False
