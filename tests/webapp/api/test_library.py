"""Filters, counts and the queue over REST: what a list holds, and why an image should be corrected."""

from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient

from db.projects.projects import update_settings
from tests.conftest import Installation
from tests.webapp.rest import assert_problem, kept, scored
from workers.images.correcting import mark_normal


def listed(client: TestClient, **query: object) -> list[int]:
    answer = client.get("/api/v1/images", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == len(answer.json()["items"])
    return [image["id"] for image in answer.json()["items"]]


def test_filters_show_and_count_what_they_ask_for(client: TestClient, installation: Installation) -> None:
    first, second = scored(client, installation, seed=1), scored(client, installation, seed=2)
    unscored = kept(client, seed=33)
    mark_normal(installation.store, first)
    score = client.get(f"/api/v1/images/{second}").json()["score"]
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"threshold": score})

    assert listed(client, label="normal") == [first]
    assert listed(client, label="anomalous") == []
    assert second in listed(client, verdict="anomalous") and unscored not in listed(client, verdict="normal")
    assert listed(client, min_score=score, max_score=score) == [second]
    assert listed(client, name="33.P") == [unscored]
    assert listed(client, status="to_review", name="2") == [second]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert listed(client, added_from=tomorrow) == []
    assert listed(client, added_before=tomorrow) == [unscored, second, first]
    counts = client.get("/api/v1/images", params={"name": "33"}).json()["counts"]
    assert counts == {"unscored": 1, "failed": 0, "to_review": 1, "corrected": 1}


def test_a_person_is_who_uploaded_or_who_corrected_last(client: TestClient, installation: Installation) -> None:
    first, second = kept(client, seed=1), kept(client, seed=2)
    assert client.get("/api/v1/images/people").json() == ["local"]
    mark_normal(installation.store, first, author="anna")
    mark_normal(installation.store, second, author="anna")
    mark_normal(installation.store, second, author="ben")
    assert client.get("/api/v1/images/people").json() == ["anna", "ben", "local"]
    assert listed(client, person="anna") == [first]
    assert listed(client, person="ben") == [second]
    assert listed(client, person="local") == [second, first]
    assert listed(client, person="nobody") == []


@pytest.mark.parametrize(
    "query",
    [
        {"min_score": 2},
        {"verdict": "odd"},
        {"label": "odd"},
        {"added_from": "yesterday"},
        {"added_from": "2026-11-25T10:00:00"},
    ],
)
def test_a_filter_that_means_nothing_is_named(client: TestClient, query: dict[str, object]) -> None:
    assert_problem(client.get("/api/v1/images", params=query), 422, "invalid-request", next(iter(query)))


def test_the_queue_begins_at_the_threshold_and_says_why(client: TestClient, installation: Installation) -> None:
    ids = [scored(client, installation, seed=seed) for seed in range(3)]
    score = client.get(f"/api/v1/images/{ids[1]}").json()["score"]
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"threshold": score})
    queue = client.get("/api/v1/images", params={"order": "uncertain", "status": "to_review"}).json()["items"]
    gains = [image["expected_gain"] for image in queue]
    assert gains == sorted(gains, reverse=True)
    at_threshold = next(image for image in queue if image["id"] == ids[1])
    assert at_threshold["reason"] == "near_threshold" and at_threshold["expected_gain"] > 1 / 3
    assert client.get(f"/api/v1/images/{kept(client, seed=9)}").json()["reason"] is None
