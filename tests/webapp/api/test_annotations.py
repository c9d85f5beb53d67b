"""Correcting over REST: masks, "normal", accepting, and what is refused."""

import io

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image

from db.images.annotations import newest_annotation
from db.projects.projects import update_settings
from tests.conftest import Installation
from tests.pictures import encoded, mask_png, picture
from tests.webapp.rest import assert_problem, kept, scored
from tests.workers.making import activate_copy, nameless
from workers.scoring.scorer import score_unscored


def put_mask(client: TestClient, image_id: int, data: bytes, **headers: str) -> Response:
    return client.put(f"/api/v1/images/{image_id}/annotation", files={"mask": ("mask.png", data)}, headers=headers)


def say(client: TestClient, image_id: int, statement: object, **headers: str) -> Response:
    return client.put(f"/api/v1/images/{image_id}/annotation", json=statement, headers=headers)


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_a_mask_comes_back_pixel_by_pixel(client: TestClient) -> None:
    image_id = kept(client)
    drawn = (np.random.default_rng(1).random((70, 90)) > 0.7).astype(np.uint8) * 255
    saved = put_mask(client, image_id, encoded(Image.fromarray(drawn)))
    assert saved.status_code == 201
    assert (saved.json()["revision"], saved.json()["label"]) == (1, "anomalous")
    assert saved.json()["area"] == np.count_nonzero(drawn)
    np.testing.assert_array_equal(pixels(client.get(f"/api/v1/images/{image_id}/mask").content), drawn)
    assert client.get(f"/api/v1/images/{image_id}").json()["status"] == "corrected"


def test_any_nonzero_pixel_is_anomalous(client: TestClient) -> None:
    image_id = kept(client)
    faint = np.zeros((70, 90), np.uint8)
    faint[3, 4] = 1
    put_mask(client, image_id, encoded(Image.fromarray(faint)))
    assert pixels(client.get(f"/api/v1/images/{image_id}/mask").content)[3, 4] == 255


def test_an_empty_mask_says_that_the_image_is_normal(client: TestClient) -> None:
    image_id = kept(client)
    saved = put_mask(client, image_id, mask_png(box=None)).json()
    assert (saved["label"], saved["area"], saved["source"]) == ("normal", 0, "drawn")
    assert_problem(client.get(f"/api/v1/images/{image_id}/mask"), 404, "not-found", "normal")


def test_marking_normal_is_a_new_revision(client: TestClient, installation: Installation) -> None:
    image_id = kept(client)
    put_mask(client, image_id, mask_png())
    saved = say(client, image_id, {"label": "normal"}).json()
    assert (saved["revision"], saved["label"], saved["source"]) == (2, "normal", "marked_normal")


def test_accepting_an_anomalous_prediction_takes_its_map_over_the_threshold(
    client: TestClient, installation: Installation
) -> None:
    image_id = scored(client, installation)
    values = np.load(io.BytesIO(client.get(f"/api/v1/images/{image_id}/map").content))
    cut = float(np.median(values))
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"threshold": 0.0, "map_threshold": cut})
    saved = say(client, image_id, {"accept": True}).json()
    assert (saved["label"], saved["source"]) == ("anomalous", "accepted")
    np.testing.assert_array_equal(pixels(client.get(f"/api/v1/images/{image_id}/mask").content) > 0, values >= cut)
    with installation.store.session(read_only=True) as session:
        annotation = newest_annotation(session, image_id)
    assert annotation is not None and annotation.prompt_version_id is not None


def test_accepting_a_normal_prediction_marks_the_image_normal(client: TestClient, installation: Installation) -> None:
    image_id = scored(client, installation)
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"threshold": 1.0})
    assert say(client, image_id, {"accept": True}).json()["label"] == "normal"


def test_an_anomalous_prediction_without_a_region_can_not_be_accepted(
    client: TestClient, installation: Installation
) -> None:
    image_id = scored(client, installation)
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"threshold": 0.0, "map_threshold": 1.0})
    assert_problem(say(client, image_id, {"accept": True}), 422, "nothing-to-accept", "map threshold")


def test_a_map_that_was_not_seen_is_not_accepted(client: TestClient, installation: Installation) -> None:
    image_id = scored(client, installation)
    assert client.get(f"/api/v1/images/{image_id}").json()["prompt_version"] == 1
    activate_copy(installation)
    score_unscored(installation.store, installation.project_id, limit=10)
    for seen in (1, 0):
        refused = say(client, image_id, {"accept": True, "prompt_version": seen})
        assert_problem(refused, 409, "map-changed", f"version {seen}", "version 2", "look at the new map")
    assert client.get(f"/api/v1/images/{image_id}").json()["annotation"] is None
    now = client.get(f"/api/v1/images/{image_id}").json()["prompt_version"]
    assert say(client, image_id, {"accept": True, "prompt_version": now}).status_code in (201, 422)


def test_accepting_what_is_not_scored_yet_says_to_ask_again(client: TestClient) -> None:
    assert_problem(say(client, kept(client), {"accept": True}), 503, "not-ready", "not scored yet")


def test_someone_who_saved_in_between_is_not_overwritten(client: TestClient) -> None:
    image_id = kept(client)
    assert put_mask(client, image_id, mask_png(), **{"If-Match": "0"}).status_code == 201
    answer = say(client, image_id, {"label": "normal"}, **{"If-Match": '"0"'})
    assert assert_problem(answer, 409, "conflict", "someone saved in between")["current_revision"] == 1
    assert client.get(f"/api/v1/images/{image_id}").json()["annotation"]["label"] == "anomalous"
    assert say(client, image_id, {"label": "normal"}, **{"If-Match": "1"}).status_code == 201


def test_a_mask_that_is_refused_leaves_no_file_behind(client: TestClient, installation: Installation) -> None:
    image_id = kept(client)
    assert put_mask(client, image_id, mask_png()).status_code == 201
    other = mask_png(box=(1, 2, 3, 4))
    assert_problem(put_mask(client, image_id, other, **{"If-Match": "0"}), 409, "conflict")
    assert nameless(installation) == set()
    assert put_mask(client, image_id, mask_png(), **{"If-Match": "0"}).status_code == 409  # the same as is kept
    assert client.get(f"/api/v1/images/{image_id}/mask").status_code == 200


def test_a_mask_of_another_size_is_refused_with_both_sizes(client: TestClient) -> None:
    image_id = kept(client)
    assert_problem(put_mask(client, image_id, mask_png(91, 70)), 422, "unusable-image", "91×70", "90×70")
    assert client.get(f"/api/v1/images/{image_id}").json()["annotation"] is None


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", encoded(picture(), "JPEG")[:300], mask_png()[:60]],
    ids=["0 bytes", "not an image", "truncated JPEG", "truncated PNG"],
)
def test_a_mask_that_can_not_be_read_is_refused(client: TestClient, data: bytes) -> None:
    image_id = kept(client)
    assert_problem(put_mask(client, image_id, data), 422, "unusable-image")
    assert client.get(f"/api/v1/images/{image_id}").json()["annotation"] is None


def test_a_mask_for_an_image_that_does_not_exist_is_a_404(client: TestClient) -> None:
    assert_problem(put_mask(client, 999, mask_png()), 404, "not-found", "999")


@pytest.mark.parametrize(
    "statement", [{}, {"label": "odd"}, {"accept": False}, {"label": "normal", "accept": True}, []]
)
def test_a_statement_that_says_nothing_or_two_things_is_refused(client: TestClient, statement: object) -> None:
    assert_problem(say(client, kept(client), statement), 422, "invalid-request", "label")


def test_a_form_without_a_mask_says_what_is_missing(client: TestClient) -> None:
    answer = client.put(f"/api/v1/images/{kept(client)}/annotation", files={"picture": ("a.png", mask_png())})
    assert_problem(answer, 422, "invalid-request", "`mask`")


def test_another_kind_of_body_is_refused(client: TestClient) -> None:
    answer = client.put(
        f"/api/v1/images/{kept(client)}/annotation", content=mask_png(), headers={"Content-Type": "image/png"}
    )
    assert_problem(answer, 415, "unsupported-media-type", "multipart/form-data")


def test_an_if_match_that_is_no_revision_is_refused(client: TestClient) -> None:
    answer = say(client, kept(client), {"label": "normal"}, **{"If-Match": "yesterday"})
    assert_problem(answer, 400, "invalid-request", "If-Match")


def test_an_image_that_nobody_corrected_has_no_mask(client: TestClient) -> None:
    assert_problem(client.get(f"/api/v1/images/{kept(client)}/mask"), 404, "not-found", "Nobody has corrected")
