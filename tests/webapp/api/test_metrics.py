"""`/metrics`: what Prometheus is told, and the ids that requests have."""

import logging

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from db.tables.base import utc_now
from db.tables.core import Image, Prediction, PromptVersion
from db.training.prompt_versions import active_version
from tests.conftest import Installation
from tests.pictures import mask_png
from tests.webapp.rest import assert_problem, kept, scored
from webapp.server import build_api
from workers.operations.worker_reports import Reporter
from workers.projects.shipped_prompts import ensure_shipped_prompts
from workers.scoring.engine_host import get_engine
from workers.scoring.scorer import score_unscored
from workers.thresholds.drift import ENOUGH


def told(client: TestClient) -> dict[tuple[str, ...], float]:
    """(name, values of its labels in the order of their names…) → value of every sample."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = [one for family in families for one in family.samples]
    return {(one.name, *(one.labels[name] for name in sorted(one.labels))): one.value for one in samples}


def test_images_runs_and_scores_are_told(client: TestClient, installation: Installation) -> None:
    scored(client, installation, seed=1)
    image_id = scored(client, installation, seed=2)
    client.put(f"/api/v1/images/{image_id}/annotation", files={"mask": mask_png()})
    kept(client, seed=3)
    client.post("/api/v1/runs", json={})
    found = told(client)
    assert found["anomalyloop_images", "default", "unscored"] == 1
    assert found["anomalyloop_images", "default", "corrected"] == 1
    assert found["anomalyloop_runs", "default", "queued"] == 1
    assert found["anomalyloop_scores_count", "default"] == 2
    assert found["anomalyloop_scores_bucket", "+Inf", "default"] == 2
    assert found["anomalyloop_feature_cache_total", "miss", "page"] == 2
    score_unscored(installation.store, installation.project_id, limit=10)
    assert told(client)["anomalyloop_feature_cache_total", "miss", "page"] == 3


def test_requests_are_timed_by_route_and_not_by_what_people_ask_for(client: TestClient) -> None:
    before = told(client)
    route = ("anomalyloop_request_seconds_count", "GET", "/api/v1/images/{image_id}", "404")
    for number in (8001, 8002):
        client.get(f"/api/v1/images/{number}")
    found = told(client)
    assert found[route] == before.get(route, 0) + 2
    assert not any("8001" in word for key in found for word in key if isinstance(word, str))


def test_a_method_that_nobody_knows_makes_no_series_of_its_own(client: TestClient) -> None:
    for method in ("FOO", "BAR"):
        client.request(method, "/api/v1/images")
    methods = {key[1] for key in told(client) if key[0] == "anomalyloop_request_seconds_count"}
    assert "other" in methods and not methods & {"FOO", "BAR"}


def test_the_queues_are_told_and_a_run_waits_in_its_own(client: TestClient, installation: Installation) -> None:
    image_id = kept(client)
    client.put(f"/api/v1/images/{image_id}/annotation", json={"label": "normal"})
    before = told(client)
    client.post("/api/v1/runs", json={})
    found = told(client)
    assert found["anomalyloop_broker_reachable",] == 1
    queues = [("anomalyloop_queue_length", queue) for queue in ("default", "scoring", "tuning")]
    assert [found[queue] - before[queue] for queue in queues] == [0, 0, 1]


def test_workers_are_told_with_how_long_they_are_silent(client: TestClient, installation: Installation) -> None:
    assert told(client)["anomalyloop_workers",] == 0
    Reporter("celery@elsewhere", ["scoring"]).report()
    found = told(client)
    assert found["anomalyloop_workers",] == 1
    assert 0 <= found["anomalyloop_worker_silent_seconds", "celery@elsewhere"] < 60


@pytest.mark.parametrize(("later", "drifts"), [(0.3, False), (0.8, True)])
def test_scores_that_are_not_those_of_the_calibration_are_told(
    client: TestClient, installation: Installation, later: float, drifts: bool
) -> None:
    image_id = scored(client, installation)
    add_scores(installation, 0.3)
    assert ("anomalyloop_score_drift", "default") not in told(client)  # nothing to compare yet
    client.put(f"/api/v1/images/{image_id}/annotation", json={"label": "normal"})
    add_scores(installation, later)
    drift = told(client)["anomalyloop_score_drift", "default"]
    assert drift > 0.25 if drifts else drift < 0.1


def add_scores(installation: Installation, middle: float) -> None:
    """So many images, with scores around the middle."""
    with installation.store.session() as session:
        version = active_version(session, installation.project_id)
        assert version is not None
        for number in range(2 * ENOUGH):
            image = Image(
                project_id=installation.project_id, sha256=f"{middle}-{number}-{utc_now()}"[:64], blob_key=f"{number}",
                file_name="", byte_size=1, width=1, height=1,
            )  # fmt: skip
            session.add(image)
            session.flush()
            score = middle + (number % 10) / 100
            session.add(
                Prediction(
                    image_id=image.id, prompt_version_id=version.id, score=score, map_blob_key="",
                    map_max=score,
                )
            )  # fmt: skip


def test_a_request_keeps_the_id_that_its_caller_gave(client: TestClient) -> None:
    assert (
        client.get("/healthz", headers={"X-Request-ID": "from-a-proxy.1"}).headers["x-request-id"] == "from-a-proxy.1"
    )
    given = client.get("/healthz", headers={"X-Request-ID": "not a plain\tword"}).headers["x-request-id"]
    assert len(given) == 16


def test_an_unexpected_error_has_the_requests_id_as_its_reference(installation: Installation) -> None:
    api = build_api()

    @api.get("/broken")
    def broken() -> None:
        raise RuntimeError

    answer = TestClient(api, raise_server_exceptions=False).get("/broken", headers={"X-Request-ID": "mine"})
    assert assert_problem(answer, 500, "unexpected")["reference"] == "mine"


def test_what_changes_something_is_logged_with_its_id(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client.get("/api/v1/images")
    client.delete("/api/v1/images/99", headers={"X-Request-ID": "abc"})
    [record] = [one for one in caplog.records if one.name == "webapp.api.request_log"]
    assert (record.method, record.path, record.status) == ("DELETE", "/api/v1/images/99", 404)  # type: ignore[attr-defined]


def test_prompts_of_another_backbone_in_any_project_are_named(client: TestClient, installation: Installation) -> None:
    client.post("/api/v1/projects", json={"name": "bolts"})
    ensure_shipped_prompts(installation.store, get_engine())
    prompts = client.get("/api/v1/prompts", params={"project": "bolts"}).json()[0]
    with installation.store.session() as session:
        version = session.get(PromptVersion, prompts["id"])
        assert version is not None
        version.backbone_fingerprint, version.backbone_name = "e" * 64, "another"
    document = assert_problem(client.get("/readyz"), 503, "not-ready", "project bolts: version 1, for another")
    assert "engine" in document["not_ready"]
