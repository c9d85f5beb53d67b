"""What holds for all of REST: OpenAPI, unknown paths, methods, unexpected errors, health."""

import errno

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError

from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.rest import assert_problem, kept, upload
from webapp.server import build_api


def test_openapi_is_at_docs_and_names_every_call(client: TestClient) -> None:
    assert "swagger" in client.get("/docs").text.lower()
    paths = client.get("/openapi.json").json()["paths"]
    assert {
        "/healthz",
        "/readyz",
        "/api/v1/projects",
        "/api/v1/images",
        "/api/v1/images/{image_id}",
        "/api/v1/images/{image_id}/map",
        "/api/v1/images/{image_id}/mask",
        "/api/v1/images/{image_id}/display",
        "/api/v1/images/{image_id}/thumbnail",
        "/api/v1/images/{image_id}/annotation",
        "/api/v1/runs",
        "/api/v1/runs/{run_id}",
        "/api/v1/runs/{run_id}/cancel",
        "/api/v1/prompts",
        "/api/v1/prompts/{version_id}/activate",
        "/api/v1/prompts/import",
    } <= paths.keys()


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v2/images"])
def test_an_unknown_path_is_a_problem_document(client: TestClient, path: str) -> None:
    assert_problem(client.get(path), 404, "unknown-path", path)


def test_a_method_that_a_path_does_not_take_says_which_it_takes(client: TestClient) -> None:
    answer = client.put("/api/v1/images")
    assert_problem(answer, 405, "method-not-allowed", "GET, POST")
    assert answer.headers["allow"] == "GET, POST"


def test_an_unexpected_error_says_where_to_look_and_nothing_of_the_inside(installation: Installation) -> None:
    api = build_api()

    @api.get("/broken")
    def broken() -> None:
        raise RuntimeError("a secret of the inside")

    answer = TestClient(api, raise_server_exceptions=False).get("/broken")
    document = assert_problem(answer, 500, "unexpected", "log")
    assert document["reference"] in document["detail"] and "secret" not in answer.text


def test_the_projects_are_listed_with_their_counts(client: TestClient) -> None:
    [project] = client.get("/api/v1/projects").json()
    assert project["name"] == "default" and set(project["images"].values()) == {0}


def test_health_is_alive(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_readiness_names_what_is_missing_and_shows_the_backbone(client: TestClient) -> None:
    document = assert_problem(client.get("/readyz"), 503, "not-ready", "worker: No worker answers")
    assert document["not_ready"] == ["worker"]
    assert document["backbone"]["name"] == "tiny" and len(document["backbone"]["fingerprint"]) == 64
    assert document["backbone"]["description"] == "random weights, for tests"


def test_readiness_names_a_database_that_was_not_migrated(client: TestClient, installation: Installation) -> None:
    (installation.home / "blobs").rename(installation.home / "elsewhere")
    (installation.home / "blobs").write_text("a file where the folder should be")
    with installation.store.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    document = assert_problem(client.get("/readyz"), 503, "not-ready", "database", "blobs")
    assert document["not_ready"] == ["database", "blobs", "worker"]


def test_what_can_not_be_kept_now_is_said_and_works_again_by_itself(
    client: TestClient, installation: Installation
) -> None:
    blobs, away = installation.home / "blobs", installation.home / "away"
    image_id = kept(client, seed=1)
    blobs.rename(away)
    blobs.write_text("a file where the folder should be")
    for answer in (upload(client, ("2.png", png(2))), client.get(f"/api/v1/images/{image_id}/display")):
        assert_problem(answer, 503, "storage-unavailable", "Try again")
        assert answer.headers["retry-after"]
    blobs.unlink()
    away.rename(blobs)
    assert upload(client, ("2.png", png(2))).status_code == 201


def test_a_database_that_is_away_is_said_and_found_again(client: TestClient, installation: Installation) -> None:
    file = installation.home / "anomalyloop.db"
    installation.store.database.close()
    file.rename(installation.home / "away.db")
    file.mkdir()
    answer = client.get("/api/v1/projects")
    assert_problem(answer, 503, "no-database", "Try again")
    assert answer.headers["retry-after"]
    file.rmdir()
    (installation.home / "away.db").rename(file)
    assert client.get("/api/v1/projects").status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), 507, "storage-full"),
        (OperationalError("INSERT", None, Exception("database or disk is full")), 507, "storage-full"),
        (OSError(errno.EIO, "Input/output error"), 500, "unexpected"),
    ],
)
def test_a_full_disk_is_told_apart(installation: Installation, error: Exception, status: int, kind: str) -> None:
    api = build_api()

    @api.get("/failing")
    def failing() -> None:
        raise error

    assert_problem(TestClient(api, raise_server_exceptions=False).get("/failing"), status, kind)
