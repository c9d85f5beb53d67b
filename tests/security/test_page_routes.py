"""Every route of Gradio × role × hostile payload: closed ones stay closed, open ones give nothing away and go on."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from httpx import Client, ReadError, ReadTimeout, RemoteProtocolError, Response

from tests.security.hostile import SECRET, TEXTS, files_of, in_path, payloads
from tests.webapp.access.test_rules import ROLE_OF
from tests.webapp.people import People
from webapp.access.callers import Role
from webapp.access.permissions import LEAST_ROLE
from webapp.access.rules import GRADIO, rule_of

# What would otherwise go on for ever: an answer in pieces, read as far as its head.
STREAMS = ("/heartbeat", "/queue/data", "/upload_progress", "/startup-events", "/dev/reload")


def gradio_routes() -> list[str]:
    """METHOD and path of everything that Gradio would answer to, if it were let."""
    import gradio as gr
    from gradio.routes import App

    with gr.Blocks() as blocks:
        pass
    app = App.create_app(blocks)
    return sorted(set(_routes(app.routes)))


def _routes(routes: Any) -> Iterator[str]:
    for route in routes:
        if getattr(route, "original_router", None) is not None:
            yield from (f"{name}" for name in _included(route))
        for method in getattr(route, "methods", None) or ():
            yield f"{method} {route.path}"


def _included(route: Any) -> Iterator[str]:
    prefix = getattr(getattr(route, "include_context", None), "prefix", "")
    for inner in route.original_router.routes:
        for method in getattr(inner, "methods", None) or ():
            yield f"{method} {prefix}{inner.path}"


ROUTES = gradio_routes()


def test_all_of_gradios_routes_are_known_here() -> None:
    assert len(ROUTES) > 60 and {"POST /gradio_api/queue/join", "POST /gradio_api/component_server"} <= set(ROUTES)
    ours = {name for name in GRADIO if name.startswith(("GET /gradio_api", "POST /gradio_api"))}
    assert ours <= set(ROUTES)


@pytest.mark.parametrize("name", ROUTES)
def test_a_route_of_gradio(name: str, page_people: People) -> None:
    method, template = name.split(" ", 1)
    secret = files_of(page_people.installation)[0]
    paths = [_filled(template, text) for text in (secret, "/etc/passwd", TEXTS[5], TEXTS[0], "a")]
    for who, client in page_people.clients.items():
        for path in paths:
            rule = rule_of(method, unquote(client.build_request(method, path).url.path))
            for body in payloads(page_people.installation) if method == "POST" and path == paths[-1] else [b"{}"]:
                answer = _ask(client, method, path, body)
                assert SECRET not in answer.text and "root:x:" not in answer.text
                if rule is None:
                    assert answer.status_code in ((401, 404, 405) if who == "nobody" else (404, 405)), answer.text
                elif ROLE_OF[who] < LEAST_ROLE[rule.permission]:
                    assert answer.status_code == (401 if who == "nobody" else 403), answer.text
    assert page_people.clients["nobody"].get("/healthz", timeout=10).status_code == 200


def test_no_event_of_the_page_gives_anything_away(page_people: People) -> None:
    from webapp.page.layout import build_page

    for number in build_page().fns:
        for body in payloads(page_people.installation, number):
            answer = _ask(page_people.clients["viewer"], "POST", "/gradio_api/run/predict", body)
            assert SECRET not in answer.text and "root:x:" not in answer.text
    assert page_people.clients["nobody"].get("/healthz", timeout=10).status_code == 200


@pytest.mark.parametrize("path", ["//gradio_api/queue/join", "/gradio_api//queue/join", "/GRADIO_API/queue/join"])
@pytest.mark.parametrize("way", ["", "/", "/..", "/.", "%2f", ";a", "%00"])
def test_no_other_spelling_of_a_path_gets_past(path: str, way: str, page_people: People) -> None:
    for body in payloads(page_people.installation)[:3]:
        answer = _ask(page_people.clients["viewer"], "POST", path + way, body)
        assert answer.status_code in (403, 404, 405), answer.status_code


def _filled(template: str, text: str) -> str:
    while "{" in template:
        start, _, rest = template.partition("{")
        template = start + in_path(text).replace("{", "%7B") + rest.partition("}")[2]
    return template


def _ask(client: Client, method: str, path: str, body: bytes) -> Response:
    # A connection each: the server closes one on which Gradio met an error of its own.
    headers = {"content-type": "application/json", "connection": "close"}
    request = client.build_request(method, path, content=body if method == "POST" else None, headers=headers)
    try:
        answer = client.send(request, stream=True)
    except (ReadError, RemoteProtocolError):  # an idle connection that the server had just closed
        answer = client.send(request, stream=True)
    try:
        if not any(part in path for part in STREAMS):
            answer.read()
        else:
            answer._content = b""
    except ReadTimeout:
        pytest.fail(f"{method} {path} does not end")
    finally:
        answer.close()
    return answer


def test_roles_are_in_order() -> None:
    assert Role.ANYONE < Role.VIEWER < Role.ANNOTATOR < Role.ADMIN
