"""The golden set over REST."""

from fastapi.testclient import TestClient

from tests.conftest import Installation
from tests.webapp.rest import assert_problem, scored


def test_a_corrected_image_is_added_found_and_taken_out_again(client: TestClient, installation: Installation) -> None:
    image_id = scored(client, installation)
    path = f"/api/v1/images/{image_id}/golden"
    assert_problem(client.put(path, json={"golden": True}), 422, "not-corrected", "Correct or accept it")
    client.put(f"/api/v1/images/{image_id}/annotation", json={"label": "normal"})
    for golden in (True, False):
        assert client.put(path, json={"golden": golden}).json()["golden"] is golden
        listed = client.get("/api/v1/images", params={"golden": True}).json()
        assert (listed["total"], len(listed["items"])) == (int(golden), int(golden))


def test_an_image_that_is_not_there_is_not_found(client: TestClient) -> None:
    assert_problem(client.put("/api/v1/images/99/golden", json={"golden": True}), 404, "not-found")
