"""Texts and dates that no database keeps are the caller's fault, on both databases; HEAD is answered as GET is."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from db.migrate import migrate
from db.session import Database
from tests.conftest import Installation, settings_for
from tests.db.conftest import postgres, schema_url
from tests.pictures import png
from tests.webapp.rest import assert_problem, kept
from webapp.server import build_api
from workers.context import get_store
from workers.projects.shipped_prompts import DEFAULT_PROJECT

__all__ = ["postgres"]


@pytest.fixture(params=["sqlite", "postgresql"])
def odd(request: pytest.FixtureRequest, tmp_path: Path, tiny_backbone: str) -> Iterator[TestClient]:
    """REST on an installation without a model, on either database."""
    with settings_for(tmp_path / "home", tiny_backbone), pytest.MonkeyPatch.context() as patch:
        if request.param == "sqlite":
            yield _client()
            return
        with schema_url(request.getfixturevalue("postgres")) as url:
            patch.setenv("ANOMALYLOOP_DATABASE_URL", url)
            from settings import get_settings

            get_settings.cache_clear()
            yield _client()
            get_store().database.close()


def _client() -> TestClient:
    from db.projects.projects import ensure_project
    from settings import get_settings

    migrate(get_settings().resolved_database_url)
    with get_store().session() as session:
        ensure_project(session, DEFAULT_PROJECT)
    return TestClient(build_api(), raise_server_exceptions=False)


@pytest.mark.parametrize("text", ["a\0b", "a\ud800b"])
def test_a_text_that_can_not_be_kept_is_the_callers_fault(odd: TestClient, text: str) -> None:
    headers = {"content-type": "application/json"}
    for path, body in (
        ("/api/v1/projects", {"name": text}),
        ("/api/v1/users", {"name": text, "role": "viewer"}),
        ("/api/v1/webhooks", {"url": f"https://example.org/{text}"}),
        ("/api/v1/images/retry", {"project": text}),
        ("/api/v1/runs", {"project": text}),
    ):
        answer = odd.post(path, content=json.dumps(body), headers=headers)
        assert answer.status_code in (404, 422), (path, answer.text)
    assert odd.get("/api/v1/images", params={"name": "a\0b"}).status_code == 422
    assert odd.get("/api/v1/images", params={"project": "a\0b"}).status_code in (404, 422)


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_date_beyond_the_calendar_is_the_callers_fault(odd: TestClient, when: str) -> None:
    for name in ("added_from", "added_before"):
        assert_problem(odd.get("/api/v1/images", params={name: when}), 422, "invalid-request", "years 1 to 9999")


def test_head_is_answered_wherever_get_is(client: TestClient, installation: Installation) -> None:
    image_id = kept(client)
    for path in (
        "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/api/v1/images", f"/api/v1/images/{image_id}",
        f"/api/v1/images/{image_id}/display", f"/api/v1/images/{image_id}/thumbnail", "/api/v1/export?format=csv",
        "/api/v1/images/999", "/login",
    ):  # fmt: skip
        got, head = client.get(path, follow_redirects=False), client.head(path, follow_redirects=False)
        assert head.status_code == got.status_code and head.content == b"", path
        assert head.headers["content-type"] == got.headers["content-type"] if "content-type" in got.headers else True
    assert client.head("/api/v1/runs/1/cancel").status_code == 405
    assert len(png()) > 0 and isinstance(installation.store.database, Database)
