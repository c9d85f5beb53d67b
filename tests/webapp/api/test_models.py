"""Models over REST: what is there, choosing, cancelling, files; what the environment says counts alone."""

import pytest
from fastapi.testclient import TestClient

from settings import Settings, get_settings
from tests.conftest import Installation
from tests.webapp.rest import assert_problem, scored
from tests.workers.making import activate_copy

URL = "/api/v1/models"


@pytest.fixture
def free(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """An installation whose environment names no model."""
    monkeypatch.setattr(Settings, "backbone_is_set", False)
    return client


def test_the_short_list_and_what_is_in_use(client: TestClient) -> None:
    found = client.get(URL).json()
    assert found["setting"] == found["name"] == get_settings().backbone and found["change"] is None
    keys = [one["key"] for one in found["recommended"]]
    assert keys == ["embedded", "vit_b", "vit_l", "open"] and found["offer"] is None


def test_what_the_environment_names_is_not_changed_here(client: TestClient) -> None:
    answer = client.post(URL, json={"name": "embedded"})
    assert_problem(answer, 409, "backbone-is-set", "ANOMALYLOOP_BACKBONE", "counts alone")
    assert_problem(client.delete(f"{URL}/change"), 409, "backbone-is-set")


def test_a_model_is_asked_for_once_at_a_time_and_cancelled(free: TestClient) -> None:
    answer = free.post(URL, json={"name": "ViT-B-16-quickgelu/openai"})
    assert answer.status_code == 202
    assert answer.json()["change"] == {
        "name": "ViT-B-16-quickgelu/openai",
        "state": "checking",
        "done_bytes": 0,
        "total_bytes": 0,
        "error": "",
    }
    assert_problem(free.post(URL, json={"name": "embedded"}), 409, "change-in-progress", "on its way")
    assert free.delete(f"{URL}/change").json()["change"]["state"] == "cancelled"
    assert free.post(URL, json={"name": "embedded"}).status_code == 202


def test_a_file_elsewhere_is_refused_and_one_that_is_sent_is_listed(free: TestClient) -> None:
    assert_problem(free.post(URL, json={"name": "ViT-B-16@/etc/passwd"}), 422, "bad-name", "Files are chosen from")
    sent = free.post(f"{URL}/files", files={"file": ("w.safetensors", b"weights")})
    assert sent.status_code == 201 and sent.json() == {"name": "w.safetensors"}
    assert free.get(URL).json()["files"] == ["w.safetensors"]
    assert_problem(free.post(f"{URL}/files", files={"file": ("w.zip", b"weights")}), 422, "bad-name", "ends in one of")


def test_until_it_is_scored_anew_an_image_has_its_old_score(client: TestClient, installation: Installation) -> None:
    image_id = scored(client, installation)
    before = client.get(f"/api/v1/images/{image_id}").json()
    assert before["old_score"] is None and client.get(URL).json()["rescoring"]["old"] == 0
    activate_copy(installation)
    now = client.get(f"/api/v1/images/{image_id}").json()
    assert now["score"] is None and now["old_score"] == before["score"]
    expected = {"images": 1, "unscored": 1, "old": 1, "seconds": None}
    assert client.get(URL).json()["rescoring"] == expected
    client.put(f"/api/v1/images/{image_id}/annotation", json={"label": "normal"})
    assert client.get(URL).json()["rescoring"] == expected, "a corrected image waits like others"


def test_the_authors_prompts_are_for_their_model(client: TestClient) -> None:
    answer = client.post("/api/v1/prompts/published", json={"tuned_on": "visa"})
    assert_problem(answer, 422, "unusable-prompts", "are for ViT-L/14@336")
