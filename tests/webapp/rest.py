"""What tests of REST do again and again."""

from fastapi.testclient import TestClient
from httpx import Response

from tests.conftest import Installation
from tests.pictures import png
from workers.scoring.scorer import score_unscored


def upload(client: TestClient, *files: tuple[str, bytes], project: str = "default") -> Response:
    """POST the files, given as (name, bytes), in one request."""
    parts = [("files", (name, data, "application/octet-stream")) for name, data in files]
    return client.post("/api/v1/images", files=parts, data={"project": project})


def kept(client: TestClient, *, seed: int = 0) -> int:
    """Upload one noisy picture of 90×70 px; returns its id."""
    return upload(client, (f"{seed}.png", png(seed))).json()[0]["id"]


def scored(client: TestClient, installation: Installation, *, seed: int = 0) -> int:
    """Upload one noisy picture and score it; returns its id."""
    image_id = kept(client, seed=seed)
    score_unscored(installation.store, installation.project_id, limit=100)
    return image_id


def assert_problem(response: Response, status: int, kind: str, *words: str) -> dict:
    """The answer is an RFC 9457 problem document of this kind whose detail has these words; returns it."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    document = response.json()
    assert response.status_code == document["status"] == status, document
    assert document["type"] == f"urn:anomalyloop:problem:{kind}"
    assert document["title"] and document["instance"].startswith("/")
    for word in words:
        assert word in document["detail"], document["detail"]
    return document
