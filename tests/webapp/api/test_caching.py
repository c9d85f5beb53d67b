"""What is asked for again and again over REST: whoever has the answer is told so, and is sent what changed."""

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from tests.conftest import Installation
from tests.webapp.rest import kept
from workers.images.correcting import mark_normal
from workers.projects.changes import make_project


def asked_with(client: TestClient, path: str, tag: str) -> Response:
    return client.get(path, headers={"If-None-Match": tag})


@pytest.mark.parametrize("path", ["/api/v1/images", "/api/v1/projects", "/api/v1/me", "/api/v1/runs"])
def test_an_answer_that_the_asker_has_is_not_sent_again(client: TestClient, path: str) -> None:
    answer = client.get(path)
    tag = answer.headers["etag"]
    assert answer.status_code == 200 and answer.headers["cache-control"] == "private, no-cache"

    again = asked_with(client, path, f'"another", W/{tag}')

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert "content-length" not in again.headers and again.headers["x-content-type-options"] == "nosniff"
    assert asked_with(client, path, '"another"').json() == answer.json()


def test_whatever_changes_a_list_of_images_changes_its_tag(client: TestClient, installation: Installation) -> None:
    path, seen = "/api/v1/images", set()

    def changed() -> dict:
        answer = asked_with(client, path, ", ".join(seen))
        assert answer.status_code == 200
        seen.add(answer.headers["etag"])
        return answer.json()

    assert changed()["items"] == []
    image_id = kept(client)
    assert [one["id"] for one in changed()["items"]] == [image_id]
    mark_normal(installation.store, image_id)
    assert changed()["items"][0]["annotation"]["revision"] == 1
    client.delete(f"{path}/{image_id}")
    assert asked_with(client, path, ", ".join(seen)).status_code == 304, "it is empty again"


def test_one_image_is_tagged_too_and_so_is_each_project(client: TestClient, installation: Installation) -> None:
    image_id = kept(client)
    path = f"/api/v1/images/{image_id}"
    tag = client.get(path).headers["etag"]
    assert client.head(path).headers["etag"] == tag
    assert client.head(path, headers={"If-None-Match": tag}).status_code == 304
    mark_normal(installation.store, image_id)
    assert asked_with(client, path, tag).json()["status"] == "corrected"

    projects = client.get("/api/v1/projects").headers["etag"]
    make_project(installation.store, "another")
    assert len(asked_with(client, "/api/v1/projects", projects).json()) == 2


def test_what_is_no_such_answer_has_no_such_tag(client: TestClient) -> None:
    made = client.post("/api/v1/projects", json={"name": "made"})
    missing = client.get("/api/v1/images/77")
    assert (made.status_code, missing.status_code) == (201, 404)
    for answer in (made, missing, client.get("/healthz")):
        assert "etag" not in answer.headers
