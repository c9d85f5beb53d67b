"""Every route of REST × role × hostile values in its path, its query, its headers and its body."""

import json

import pytest
from httpx import Response

from tests.security.hostile import SECRET, TEXTS, in_path
from tests.webapp.access.test_rules import ROLE_OF
from tests.webapp.people import People
from webapp.access.permissions import LEAST_ROLE
from webapp.access.rules import ENDPOINTS

# The names of parameters of any endpoint; one that an endpoint does not know does nothing.
QUERY = ("project", "status", "cursor", "limit", "format", "next", "ids", "order", "user_name", "with")
FIELDS = ("project", "name", "label", "note", "role", "url", "events", "settings", "old", "new", "threshold", "purpose")
READ = ("GET", "HEAD")


@pytest.mark.parametrize("endpoint", [name for name in ENDPOINTS if name != "POST /logout"])
def test_an_endpoint(endpoint: str, people: People) -> None:
    method, template = endpoint.split(" ", 1)
    for who, client in people.clients.items():
        refused = ROLE_OF[who] < LEAST_ROLE[ENDPOINTS[endpoint]]
        for text in TEXTS[::4] if refused else TEXTS:  # what is refused is refused before it is looked at
            path = template
            for name in ("project_id", "image_id", "run_id", "version_id", "user_id", "token_id", "webhook_id"):
                path = path.replace(f"{{{name}}}", in_path(text.replace("/", "%2f")) or "0")
            for answer in _tried(client, method, path, text):
                _assert_harmless(answer, endpoint, who)


def _tried(client, method: str, path: str, text: str) -> list[Response]:  # type: ignore[no-untyped-def]
    query = dict.fromkeys(QUERY, text)
    headers = {"x-request-id": text.encode("ascii", "replace").replace(b"\r\n", b" "), "accept-language": "ko"}
    if method in READ:
        return [client.request(method, path, params=query, headers=headers)]
    bodies = [json.dumps(dict.fromkeys(FIELDS, text)).encode(), b"\xff"]
    named = {**headers, "content-type": "application/json"}
    answers = [client.request(method, path, content=body, headers=named) for body in bodies]
    file = {"files": (text[:200] or "x", text.encode()), "mask": ("m.png", b"x"), "file": (text[:200] or "x", b"x")}
    return [*answers, client.request(method, path, files=file, data={"project": text}, headers=headers)]


def _assert_harmless(answer: Response, endpoint: str, who: str) -> None:
    assert answer.status_code < 500 or endpoint == "GET /readyz", f"{endpoint} {who}: {answer.text[:300]}"
    assert SECRET not in answer.text and "root:x:" not in answer.text and "Traceback" not in answer.text
    assert "hacked" not in str(answer.headers.get("set-cookie", "")) and "anomalyloop=x" not in str(answer.headers)
    if "text/html" in answer.headers.get("content-type", ""):
        assert "<img src=x" not in answer.text and "<script>window" not in answer.text
    if ROLE_OF[who] < LEAST_ROLE[ENDPOINTS[endpoint]]:
        # A hostile path may be another endpoint's, or nobody's; it is refused all the same.
        refused = 401 if who == "nobody" else 403
        assert answer.status_code in (refused, 404, 405), f"{who}: {answer.status_code}"
