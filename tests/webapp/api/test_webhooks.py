"""Webhooks over REST: made with a secret that is shown once, listed, looked at, deleted."""

import pytest
from fastapi.testclient import TestClient

from settings import get_settings
from tests.conftest import Installation
from tests.webapp.rest import assert_problem, kept


@pytest.fixture(autouse=True)
def private(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_settings(), "webhook_private", True)


def test_a_secret_is_shown_once(client: TestClient) -> None:
    made = client.post("/api/v1/webhooks", json={"url": "http://127.0.0.1:9/", "project": "default"})
    assert made.status_code == 201 and len(made.json()["secret"]) > 30
    [listed] = client.get("/api/v1/webhooks").json()
    assert "secret" not in listed and listed["events"] == ["run.finished", "image.anomalous"]
    assert listed["project_id"] == 1


def test_what_it_is_told_can_be_looked_at_until_it_is_deleted(client: TestClient) -> None:
    webhook_id = client.post("/api/v1/webhooks", json={"url": "http://127.0.0.1:9/"}).json()["id"]
    client.put(f"/api/v1/images/{kept(client)}/annotation", json={"label": "normal"})
    run_id = client.post("/api/v1/runs", json={}).json()["id"]
    client.post(f"/api/v1/runs/{run_id}/cancel")
    [message] = client.get(f"/api/v1/webhooks/{webhook_id}/messages").json()
    assert (message["event"], message["state"], message["body"]["run_id"]) == ("run.finished", "waiting", run_id)
    assert client.delete(f"/api/v1/webhooks/{webhook_id}").status_code == 204
    assert_problem(client.get(f"/api/v1/webhooks/{webhook_id}/messages"), 404, "not-found")


def test_an_address_inside_the_network_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(get_settings(), "webhook_private", False)
    answer = client.post("/api/v1/webhooks", json={"url": "http://192.168.0.1/"})
    assert_problem(answer, 422, "address-refused", "192.168.0.1", "ANOMALYLOOP_WEBHOOK_PRIVATE")
    assert client.get("/api/v1/webhooks").json() == []


@pytest.mark.parametrize("wanted", [{"events": ["nothing"]}, {"events": []}, {"url": "x" * 3000}, {"more": 1}])
def test_what_can_not_be_wanted_is_refused(client: TestClient, wanted: dict) -> None:
    answer = client.post("/api/v1/webhooks", json={"url": "http://127.0.0.1:9/", **wanted})
    assert_problem(answer, 422, "invalid-request")
