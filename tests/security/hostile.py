"""What someone sends who means harm."""

import json
from typing import Any
from urllib.parse import quote

from tests.conftest import Installation

SECRET = "nobody may read this"
# Runs a script where a text is shown as HTML, in an attribute, or in a script.
SCRIPTS = [
    "<img src=x onerror=window.hacked=1>",
    '"><script>window.hacked=1</script><i a="',
    "'-window.hacked=1-'",
    "javascript:window.hacked=1",
    "{{constructor.constructor('window.hacked=1')()}}",
]
# As a name, an id, a cursor, a header.
TEXTS = [
    *SCRIPTS,
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "' OR 1=1; DROP TABLE users; --",
    "a\r\nSet-Cookie: anomalyloop=x",
    "\u202egnp.exe",
    "a" * 5000,
    "",
    "-1",
    "1e400",
    str(2**70),
    "NaN",
    "%",
    "%00",
]


def files_of(installation: Installation) -> list[str]:
    """Paths of the server that nobody uploaded: a secret, the database, the settings, what never ends."""
    file = installation.home / "secret.zip"
    file.write_text(SECRET)
    return [str(file), str(installation.home / "anomalyloop.db"), "/etc/passwd", "/proc/self/environ", "/dev/zero"]


def payloads(installation: Installation, number: int = 0) -> list[bytes]:
    """Bodies for a route that expects JSON of an event."""
    named = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in files_of(installation)]
    named += [{**one, "is_stream": True} for one in named[:2]]
    named += [{"path": "http://127.0.0.1:1/", "meta": {"_type": "gradio.FileData"}}]
    values: list[Any] = [*named, [named], {"value": named[0]}, *TEXTS, None, 10**30, [[]] * 50, {"__type__": "update"}]
    bodies = [json.dumps(_event(number, value)).encode() for value in values]
    return [*bodies, b"", b"{", b"[]", b"null", b"[" * 5000, b"\xff\xfe", b'{"data": NaN, "fn_index": 1e999}']


def _event(number: int, value: Any) -> dict[str, Any]:
    page = value if isinstance(value, str) else "a page"
    return {"data": [value] * 5, "fn_index": number, "session_hash": page, "event_data": value, "event_id": page}


def in_path(text: str) -> str:
    """The text as one part of a path."""
    return quote(text, safe="%")
