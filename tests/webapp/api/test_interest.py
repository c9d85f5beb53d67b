"""Regions of interest by REST: what lies outside counts nowhere, old scores are old, and removal brings back."""

import io

import numpy as np
from fastapi.testclient import TestClient
from PIL import Image as Picture

from db.images.prediction_batches import NewPrediction, save_predictions
from db.images.predictions import prediction_by_version
from db.projects.interest import regions_of_interest
from db.training.prompt_versions import active_version
from db.webhooks.messages import add_webhook, list_messages
from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.api.test_inspect import inspect
from tests.webapp.rest import assert_problem, scored
from tests.workers.making import add, nameless, score_all
from workers.projects.interest import use_region_of_interest

WIDTH, HEIGHT = 90, 70
URL = "/api/v1/projects/1/region_of_interest"


def half_mask(width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """White on the left."""
    pixels = np.zeros((height, width), np.uint8)
    pixels[:, : width // 2] = 255
    data = io.BytesIO()
    Picture.fromarray(pixels).save(data, "PNG")
    return data.getvalue()


def put(client: TestClient, data: bytes, **fields: str):
    return client.put(URL, files={"mask": ("mask.png", data, "image/png")}, data=fields)


def map_of(client: TestClient, image_id: int, **query: str) -> np.ndarray:
    answer = client.get(f"/api/v1/images/{image_id}/map", params=query).raise_for_status()
    return np.load(io.BytesIO(answer.content))


def test_what_lies_outside_counts_nowhere_and_removal_brings_back_what_was(
    client: TestClient, installation: Installation
) -> None:
    image_id = scored(client, installation, seed=1)
    before, whole = client.get(f"/api/v1/images/{image_id}").json(), map_of(client, image_id)
    assert before["region_of_interest"] is None
    made = put(client, half_mask(), marks="ignore").raise_for_status().json()
    assert (made["width"], made["height"], made["area"]) == (WIDTH, HEIGHT, WIDTH // 2 * HEIGHT)
    waiting = client.get(f"/api/v1/images/{image_id}").json()
    assert (waiting["score"], waiting["old_score"], waiting["status"]) == (None, before["score"], "unscored")
    np.testing.assert_array_equal(map_of(client, image_id), whole)  # as old as the score

    score_all(installation.store, 1)
    image, masked = client.get(f"/api/v1/images/{image_id}").json(), map_of(client, image_id)
    assert image["region_of_interest"] == "applied" and image["score"] <= before["score"]
    assert not masked[:, : WIDTH // 2].any()
    np.testing.assert_array_equal(masked[:, WIDTH // 2 :], whole[:, WIDTH // 2 :])
    counting = client.get(f"/api/v1/images/{image_id}/region_of_interest").raise_for_status().content
    np.testing.assert_array_equal(np.asarray(Picture.open(io.BytesIO(counting))) > 0, masked > 0)

    assert client.delete(URL).status_code == 204
    assert client.get(f"/api/v1/images/{image_id}").json()["old_score"] == image["score"]
    score_all(installation.store, 1)
    again = client.get(f"/api/v1/images/{image_id}").json()
    assert (again["score"], again["region_of_interest"]) == (before["score"], None)
    np.testing.assert_array_equal(map_of(client, image_id), whole)
    assert client.get(URL).status_code == 404 and nameless(installation) == set()


def test_an_inspection_says_what_an_upload_is_told_later(client: TestClient, installation: Installation) -> None:
    client.patch(
        "/api/v1/projects/1",
        json={"settings": {"map_threshold": 0.0, "verdict_rule": {"kind": "regions", "area": WIDTH * HEIGHT}}},
    ).raise_for_status()
    assert inspect(client, ("1.png", png(1))).json()[0]["verdict"] == "anomalous"  # all of it reaches 0
    client.patch("/api/v1/projects/1", json={"settings": {"map_threshold": 0.001}}).raise_for_status()
    put(client, half_mask()).raise_for_status()
    [asked] = inspect(client, ("2.png", png(2)), map=True).json()
    later = client.get(f"/api/v1/images/{scored(client, installation, seed=2)}").json()
    for name in ("score", "verdict", "region_of_interest"):
        assert asked[name] == later[name], name
    assert asked["region_of_interest"] == "applied" and asked["verdict"] == "normal"  # half of it is not enough
    assert all(region["box"][2] <= WIDTH // 2 for region in asked["regions"])


def test_images_of_other_proportions_are_not_masked_and_say_so(client: TestClient, installation: Installation) -> None:
    put(client, half_mask(width=HEIGHT, height=WIDTH)).raise_for_status()
    image_id = scored(client, installation, seed=1)
    assert client.get(f"/api/v1/images/{image_id}").json()["region_of_interest"] == "other_proportions"
    assert map_of(client, image_id)[:, WIDTH // 2 + 10 :].any()
    assert client.get(f"/api/v1/images/{image_id}/region_of_interest").status_code == 404
    put(client, half_mask(width=2 * WIDTH, height=2 * HEIGHT)).raise_for_status()  # the same at another size
    score_all(installation.store, 1)
    assert client.get(f"/api/v1/images/{image_id}").json()["region_of_interest"] == "applied"
    assert not map_of(client, image_id)[:, WIDTH // 2 :].any()


def test_a_station_has_a_region_of_its_own(client: TestClient, installation: Installation) -> None:
    put(client, half_mask(), station="north").raise_for_status()
    [north] = inspect(client, ("1.png", png(1)), station="north").json()
    [south] = inspect(client, ("2.png", png(2)), station="south").json()
    assert (north["region_of_interest"], south["region_of_interest"]) == ("applied", None)
    put(client, half_mask(), marks="ignore").raise_for_status()  # for all others
    score_all(installation.store, 1)
    halves = [slice(WIDTH // 2, None), slice(None, WIDTH // 2)]
    for asked, ignored in zip((north, south), halves, strict=True):
        assert not map_of(client, asked["id"])[:, ignored].any()
    listed = client.get("/api/v1/projects/1/regions_of_interest").json()
    assert [one["station"] for one in listed] == ["", "north"]
    assert client.delete(URL, params={"station": "north"}).status_code == 204
    score_all(installation.store, 1)
    assert not map_of(client, north["id"])[:, : WIDTH // 2].any()


def test_what_is_no_mask_and_one_by_which_nothing_counts_are_refused(client: TestClient) -> None:
    assert_problem(put(client, b"no image"), 422, "unusable-image")
    data = io.BytesIO()
    Picture.new("L", (WIDTH, HEIGHT), 0).save(data, "PNG")
    assert_problem(put(client, data.getvalue()), 422, "bad-setting", "no pixel counts")
    assert_problem(client.delete(URL), 404, "not-found", "region of interest")
    assert client.get("/api/v1/projects/77/regions_of_interest").status_code == 404


def test_what_is_not_scored_anew_yet_stays_as_old_as_it_is(client: TestClient, installation: Installation) -> None:
    image_id = scored(client, installation, seed=1)
    before = client.get(f"/api/v1/images/{image_id}").json()
    put(client, half_mask()).raise_for_status()
    put(client, half_mask(), marks="ignore").raise_for_status()
    assert client.get(f"/api/v1/images/{image_id}").json()["old_score"] == before["score"]
    score_all(installation.store, 1)
    assert client.get(f"/api/v1/images/{image_id}").json()["old_score"] is None
    assert nameless(installation) == set()


def test_nobody_is_told_again_of_an_image_that_is_scored_anew(client: TestClient, installation: Installation) -> None:
    with installation.store.session() as session:
        add_webhook(session, project_id=None, url="https://mes.example/hook", events=["image.inspected"])
    scored(client, installation, seed=1)
    put(client, half_mask()).raise_for_status()
    score_all(installation.store, 1)
    with installation.store.session(read_only=True) as session:
        assert len(list_messages(session, 1)) == 1


def test_what_was_scored_while_the_region_changed_is_scored_again(installation: Installation) -> None:
    image_id = add(installation, seed=1)
    with installation.store.session(read_only=True) as session:
        version = active_version(session, 1)
        assert version is not None
    use_region_of_interest(installation.store, 1, half_mask(), marks="interest")
    made = NewPrediction(image_id, 0.5, "11/" + 64 * "1", 0.5, 0.0, 0.0, {})  # begun before there was a region
    with installation.store.session() as session:
        save_predictions(session, version.id, [made], replaced := set[str]())
        assert prediction_by_version(session, image_id, version.id) is None and replaced == {made.map_blob_key}
    score_all(installation.store, 1)
    with installation.store.session(read_only=True) as session:
        [row] = regions_of_interest(session, 1)
        prediction = prediction_by_version(session, image_id, version.id)
        assert prediction is not None and prediction.interest_blob_key == row.mask_blob_key
