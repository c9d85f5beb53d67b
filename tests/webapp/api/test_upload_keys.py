"""Uploads with an Idempotency-Key: done once, answered alike, and never something else under the same key."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import update

from db.tables.base import utc_now
from db.tables.operations import UploadKey
from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.rest import assert_problem


def upload(client: TestClient, key: str, *seeds: int, project: str = "default", data: bytes | None = None) -> Response:
    files = [("files", (f"{seed}.png", data or png(seed), "image/png")) for seed in seeds]
    return client.post("/api/v1/images", files=files, data={"project": project}, headers={"Idempotency-Key": key})


def age_key(installation: Installation, **values: object) -> None:
    with installation.store.session() as session:
        session.execute(update(UploadKey).values(**values))


def test_the_same_upload_again_has_the_answer_of_the_first_time(client: TestClient) -> None:
    first, second = upload(client, "a", 1, 2), upload(client, "a", 1, 2)
    assert first.json() == second.json() and [one["duplicate"] for one in second.json()] == [False, False]
    assert (first.status_code, second.status_code) == (201, 201)
    assert "idempotency-replayed" not in first.headers and second.headers["idempotency-replayed"] == "true"
    assert [one["duplicate"] for one in upload(client, "b", 1).json()] == [True]


@pytest.mark.parametrize("other", [{"seeds": (2,)}, {"seeds": (1, 2)}, {"seeds": (1,), "project": "bolts"}])
def test_another_upload_under_the_same_key_is_refused(client: TestClient, other: dict) -> None:
    client.post("/api/v1/projects", json={"name": "bolts"})
    upload(client, "a", 1)
    answer = upload(client, "a", *other["seeds"], project=other.get("project", "default"))
    assert_problem(answer, 422, "key-reused", "'a'", "new key")


def test_an_upload_of_which_nothing_was_kept_may_be_tried_again(client: TestClient) -> None:
    assert_problem(upload(client, "a", 1, data=b"no image"), 422, "unusable-image")
    assert_problem(upload(client, "a", 1, data=b"no image"), 422, "unusable-image")
    assert upload(client, "a", 1).status_code == 201


def test_of_uploads_at_the_same_moment_one_is_done(client: TestClient) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: upload(client, "a", 1, 2, 3), range(6)))
    kept = [one.json() for one in answers if one.status_code == 201]
    assert kept and all(one == kept[0] for one in kept)
    for answer in answers:
        if answer.status_code != 201:
            assert_problem(answer, 409, "upload-in-progress", "in a moment")
            assert answer.headers["retry-after"]
    assert client.get("/api/v1/images").json()["total"] == 3


def test_an_upload_whose_process_ended_is_done_by_whoever_sends_it_again(
    client: TestClient, installation: Installation
) -> None:
    upload(client, "a", 1)
    age_key(installation, answer=None)
    assert_problem(upload(client, "a", 1), 409, "upload-in-progress")
    age_key(installation, answer=None, created_at=utc_now() - timedelta(minutes=10))
    assert [one["duplicate"] for one in upload(client, "a", 1).json()] == [True]


def test_a_key_is_forgotten_after_a_day(client: TestClient, installation: Installation) -> None:
    upload(client, "a", 1)
    age_key(installation, created_at=utc_now() - timedelta(hours=25))
    assert upload(client, "a", 2).status_code == 201


def test_a_key_without_an_end_is_refused(client: TestClient) -> None:
    assert_problem(upload(client, "x" * 256, 1), 422, "invalid-request")
