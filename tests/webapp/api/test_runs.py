"""Runs over REST: starting, refusing, watching, cancelling."""

from fastapi.testclient import TestClient

from tests.conftest import Installation
from tests.pictures import mask_png
from tests.webapp.rest import assert_problem, kept


def correct(client: TestClient, *, seed: int, normal: bool = False) -> None:
    url = f"/api/v1/images/{kept(client, seed=seed)}/annotation"
    answer = (
        client.put(url, json={"label": "normal"}) if normal else client.put(url, files={"mask": ("m.png", mask_png())})
    )
    assert answer.status_code == 201


def test_a_run_without_corrections_says_how_many_are_missing(client: TestClient) -> None:
    kept(client)
    document = assert_problem(client.post("/api/v1/runs", json={}), 422, "too-few-corrections", "correct 1 more")
    assert (document["corrected"], document["needed"], document["missing"]) == (0, 1, 1)
    assert client.get("/api/v1/runs").json() == []


def test_a_run_is_queued_with_its_input_frozen(client: TestClient) -> None:
    for seed in range(3):
        correct(client, seed=seed, normal=seed == 2)
    answer = client.post("/api/v1/runs", json={"project": "default", "epochs": 3, "seed": 7})
    assert answer.status_code == 202
    run = answer.json()
    assert (run["state"], run["seed"], run["config"]["epochs"], run["trigger"]) == ("queued", 7, 3, "manual")
    assert len(run["training_annotation_ids"]) + len(run["holdout_annotation_ids"]) == 3
    assert client.get("/api/v1/runs").json() == [run] == [client.get(f"/api/v1/runs/{run['id']}").json()]


def test_corrections_of_normal_images_alone_are_enough(client: TestClient) -> None:
    correct(client, seed=1, normal=True)
    assert client.post("/api/v1/runs", json={}).status_code == 202


def test_a_second_run_is_refused_while_one_is_live(client: TestClient) -> None:
    correct(client, seed=1)
    first = client.post("/api/v1/runs", json={}).json()
    document = assert_problem(client.post("/api/v1/runs", json={}), 409, "run-in-progress", "not finished")
    assert document["run_id"] == first["id"]


def test_a_queued_run_is_cancelled_at_once_and_makes_room(client: TestClient) -> None:
    correct(client, seed=1)
    run = client.post("/api/v1/runs", json={}).json()
    assert client.post(f"/api/v1/runs/{run['id']}/cancel").json()["state"] == "cancelled"
    assert client.post("/api/v1/runs", json={}).status_code == 202


def test_runs_that_do_not_exist_are_404(client: TestClient) -> None:
    assert_problem(client.get("/api/v1/runs/999"), 404, "not-found", "999")
    assert_problem(client.post("/api/v1/runs/999/cancel"), 404, "not-found", "999")


def test_a_wrong_request_is_named_field_by_field(client: TestClient, installation: Installation) -> None:
    document = assert_problem(
        client.post("/api/v1/runs", json={"epochs": 0, "sead": 1}), 422, "invalid-request", "epochs"
    )
    assert {fault["at"] for fault in document["errors"]} == {"body.epochs", "body.sead"}
    assert_problem(client.post("/api/v1/runs", content="{"), 422, "invalid-request")
    assert_problem(client.post("/api/v1/runs", json={"project": "nowhere"}), 404, "not-found", "nowhere")
