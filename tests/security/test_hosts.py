"""Hosts and origins: a name of someone else's, pointed at this machine, and pages of other sites."""

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Installation
from tests.webapp.people import People
from webapp.server import build_api

FOREIGN_ORIGINS = [
    "http://evil.example",
    "http://testserver.evil.example",
    "http://evil.example/testserver",
    "http://testserver@evil.example",
    "http://evil.example#testserver",
    "null",
    "",
    "file://",
    "http://testserver:1",
    "testserver",
]
FOREIGN_HOSTS = [
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example:80",
    "[::2]",
    "@",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "nonsense", ""])
def test_a_page_of_another_site_writes_nothing(origin: str, site: str | None, people: People) -> None:
    headers = {"origin": origin} | ({"sec-fetch-site": site} if site is not None else {})
    for path in ("/api/v1/runs", "/api/v1/projects", "/logout", "/api/v1/me/password"):
        answer = people.clients["admin"].post(path, json={}, headers=headers)
        assert answer.status_code in (403, 405), (path, answer.status_code)


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_signing_in_from_another_sites_page_is_refused(origin: str, people: People) -> None:
    data = {"name": "admin", "password": "x" * 12}
    answer = people.clients["nobody"].post("/login", data=data, headers={"origin": origin})
    assert answer.status_code == 403 and "set-cookie" not in answer.headers


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_without_accounts_another_name_than_this_machines_own_is_refused(host: str, shared: Installation) -> None:
    client = TestClient(build_api(check_host=True), base_url="http://127.0.0.1")
    for path in ("/", "/api/v1/images", "/healthz", "/gradio_api/info"):
        assert client.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize("header", ["x-forwarded-host", "forwarded", "x-original-url", "x-rewrite-url", "x-real-ip"])
def test_no_header_makes_a_request_someone_elses(header: str, people: People) -> None:
    for value in ("/healthz", "127.0.0.1", "host=localhost;for=127.0.0.1"):
        assert people.clients["nobody"].get("/api/v1/images", headers={header: value}).status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_no_header_makes_one_method_another(method: str, people: People) -> None:
    headers = {"x-http-method-override": method, "x-method-override": method}
    answer = people.clients["viewer"].post("/api/v1/projects", json={"name": "x"}, headers=headers)
    assert answer.status_code == 403
