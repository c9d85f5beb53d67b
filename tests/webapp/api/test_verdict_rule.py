"""The verdict rule by REST: tried on all images, saved, and the same in every answer."""

from fastapi.testclient import TestClient

from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.api.test_inspect import inspect
from tests.webapp.rest import assert_problem, scored
from workers.images.correcting import mark_anomalous, mark_normal
from workers.scoring.regions import judge_anew

ALL_OF_IT = {"kind": "regions", "area": 90 * 70}


def patch(client: TestClient, **settings: object) -> dict:
    return client.patch("/api/v1/projects/1", json={"settings": settings}).raise_for_status().json()["settings"]


def test_it_is_tried_then_saved_and_inspections_and_images_say_the_same(
    client: TestClient, installation: Installation
) -> None:
    patch(client, threshold=1.0)
    ids = [scored(client, installation, seed=seed) for seed in range(4)]
    mark_normal(installation.store, ids[0])
    mark_anomalous(installation.store, ids[1])
    wanted = {"verdict_rule": ALL_OF_IT, "map_threshold": 0.0}
    trial = client.post("/api/v1/projects/1/verdict_rule/trial", json=wanted).raise_for_status().json()
    assert (trial["images"], trial["to_anomalous"], trial["to_normal"]) == (4, 4, 0)
    assert (trial["before"]["false_alarms"], trial["before"]["misses"]) == (0, 1)
    assert (trial["after"]["false_alarms"], trial["after"]["misses"]) == (1, 0)
    assert [one["image_id"] for one in trial["changed"]] == [ids[1], ids[0], ids[3], ids[2]]  # corrected ones first
    assert client.get(f"/api/v1/images/{ids[2]}").json()["verdict"] == "normal"
    assert patch(client, **wanted)["verdict_rule"] == {**ALL_OF_IT, "more_than": 0, "single": None, "unit": "px2"}
    judge_anew(installation.store, installation.project_id)
    image = client.get(f"/api/v1/images/{ids[2]}").json()
    assert (image["verdict"], image["verdict_rule"]) == ("anomalous", "regions")
    [asked] = inspect(client, ("9.png", png(9))).json()
    kept = client.get(f"/api/v1/images/{asked['id']}").json()
    for one in (asked, kept):
        assert (one["verdict"], one["verdict_rule"]) == ("anomalous", "regions")
    patch(client, keep="none", map_threshold=1.0)
    [unkept] = inspect(client, ("8.png", png(8))).json()
    assert (unkept["id"], unkept["verdict"], unkept["regions"]) == (None, "normal", [])


def test_what_is_no_rule_is_refused(client: TestClient) -> None:
    trial = "/api/v1/projects/1/verdict_rule/trial"
    for wanted in ({"kind": "regions"}, {"kind": "regions", "area": 1, "unit": "mm2"}):
        assert_problem(client.post(trial, json={"verdict_rule": wanted}), 422, "bad-setting", "verdict")
        refused = client.patch("/api/v1/projects/1", json={"settings": {"verdict_rule": wanted}})
        assert_problem(refused, 422, "bad-setting", "verdict")
    assert_problem(client.post(trial, json={"map_threshold": 2}), 422, "invalid-request", "map_threshold")
    assert_problem(client.post(trial.replace("/1/", "/77/"), json={}), 404, "not-found", "77")
