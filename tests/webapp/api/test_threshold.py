"""The threshold over REST: what labelled images say of it, and using another one."""

import pytest
from fastapi.testclient import TestClient

from tests.conftest import Installation
from tests.pictures import mask_png
from tests.webapp.rest import assert_problem, scored
from workers.images.correcting import mark_normal, save_mask


@pytest.fixture
def labelled(client: TestClient, installation: Installation) -> list[float]:
    """Scores of a normal and an anomalous image, the lower one normal; a third is not labelled."""
    images = [client.get(f"/api/v1/images/{scored(client, installation, seed=seed)}").json() for seed in range(3)]
    low, _, high = sorted(images, key=lambda image: image["score"])
    mark_normal(installation.store, low["id"])
    save_mask(installation.store, high["id"], mask_png())
    return [low["score"], high["score"]]


def test_without_images_nothing_is_calibrated_and_it_says_so(client: TestClient) -> None:
    answer = client.get("/api/v1/threshold").json()
    assert not answer["calibrated"] and answer["best_f1"] is None and answer["probability"] is None
    assert answer["rests_on"].startswith("Not calibrated yet: there are 0 normal images and 0 anomalous images.")


def test_scores_are_told_by_label_with_the_thresholds_that_would_be_better(
    client: TestClient, labelled: list[float]
) -> None:
    answer = client.get("/api/v1/threshold", params={"false_alarms": 0}).json()
    assert [sum(answer[kind]) for kind in ("normal", "anomalous", "unlabelled")] == [1, 1, 1]
    assert answer["best_f1"]["f1"] == 1.0
    assert labelled[0] < answer["at_false_alarm_rate"]["threshold"] <= answer["best_f1"]["threshold"] <= labelled[1]
    assert not answer["calibrated"] and "9 more normal and 9 more anomalous" in answer["rests_on"]


def test_pixels_are_told_by_the_mask(client: TestClient, labelled: list[float]) -> None:
    answer = client.get("/api/v1/threshold", params={"level": "pixel"}).json()
    share = 20 * 30 / (90 * 70)
    assert sum(answer["anomalous"]) == pytest.approx(share, abs=0.01)
    assert sum(answer["normal"]) == pytest.approx(2 - share, abs=0.01)
    assert answer["probability"] is None


def test_another_threshold_counts_at_once(
    client: TestClient, installation: Installation, labelled: list[float]
) -> None:
    answer = client.put("/api/v1/threshold", json={"threshold": labelled[1] + 0.001})
    assert answer.status_code == 200 and answer.json()["now"]["recall"] == 0.0
    images = client.get("/api/v1/images").json()["items"]
    assert {image["verdict"] for image in images} == {"normal"}
    assert client.put("/api/v1/threshold", json={"level": "pixel", "threshold": 0.3}).status_code == 200
    assert client.get("/api/v1/images").json()["items"][0]["map_threshold"] == 0.3


def test_the_gain_that_is_shown_follows_before_the_queue_is_in_order(
    client: TestClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.images.queue_orders.AT_ONCE", 0)
    image_id = scored(client, installation)
    before = client.get(f"/api/v1/images/{image_id}").json()
    client.put("/api/v1/threshold", json={"threshold": before["score"]})
    after = client.get(f"/api/v1/images/{image_id}").json()
    near = 1 / (1 + ((before["score"] - 0.5) / 0.1) ** 2)
    assert after["expected_gain"] - before["expected_gain"] == pytest.approx((1 - near) / 3)


def test_enough_labels_make_a_probability_of_each_image(
    client: TestClient, installation: Installation, labelled: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = client.get("/api/v1/images").json()["items"][0]
    assert image["probability"] is None
    monkeypatch.setattr("workers.thresholds.calibrating.ENOUGH", 1)
    mark_normal(installation.store, image["id"])  # another label: it is fitted anew
    image = client.get(f"/api/v1/images/{image['id']}").json()
    assert 0 < image["probability"] < 1 and image["probability_images"] in (2, 3)


def test_a_threshold_outside_its_range_is_refused(client: TestClient) -> None:
    assert_problem(client.put("/api/v1/threshold", json={"threshold": 1.5}), 422, "invalid-request", "threshold")
    assert_problem(client.get("/api/v1/threshold", params={"project": "nowhere"}), 404, "not-found", "nowhere")
