"""`/inspect`: the answer in the same call, the same as an upload's that is scored later; what is kept; overload."""

import base64
import io
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image as Picture
from sqlalchemy import func, select

from db.images.claims import unclaimed_images
from db.projects.projects import update_settings
from db.tables.core import Image, Prediction
from settings import get_settings
from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.rest import assert_problem, scored
from workers.scoring.engine_host import get_engine


def inspect(client: TestClient, *files: tuple[str, bytes], **fields: object) -> Response:
    parts = [("files", (name, data, "application/octet-stream")) for name, data in files]
    return client.post("/api/v1/inspect", files=parts, data=fields)


def set_up(installation: Installation, **settings: object) -> None:
    with installation.store.session() as session:
        update_settings(session, installation.project_id, settings)


def images(installation: Installation) -> int:
    with installation.store.session(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Image)) or 0


@pytest.mark.parametrize("first_visit", [True, False], ids=["nothing learnt", "by the threshold"])
def test_it_answers_what_an_upload_is_told_later(
    client: TestClient, installation: Installation, first_visit: bool
) -> None:
    if not first_visit:
        set_up(installation, threshold=0.45)
    for seed in range(12):  # so many that they are compared with each other
        scored(client, installation, seed=seed)
    set_up(installation, keep="none")
    [asked] = inspect(client, ("20.png", png(20))).json()
    assert asked["id"] is None and not asked["kept"] and images(installation) == 12
    later = client.get(f"/api/v1/images/{scored(client, installation, seed=20)}").json()
    assert asked["score"] == pytest.approx(later["score"], abs=1e-5)
    for name in ("verdict", "threshold", "map_threshold", "probability", "prompt_version", "width", "height", "sha256"):
        assert asked[name] == later[name], name
    set_up(installation, keep="all")
    [again] = inspect(client, ("20.png", png(20))).json()
    assert (again["id"], again["duplicate"], again["verdict"]) == (later["id"], True, later["verdict"])
    [new] = inspect(client, ("21.png", png(21))).json()
    kept = client.get(f"/api/v1/images/{new['id']}").json()
    assert (new["verdict"], new["score"]) == (kept["verdict"], kept["score"]) and kept["status"] == "to_review"


def test_it_encodes_an_image_once_and_leaves_nothing_to_score(client: TestClient, installation: Installation) -> None:
    engine, encoded = get_engine(), []
    encode = engine.encode
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            engine, "encode", lambda pictures, **how: encoded.append(len(pictures)) or encode(pictures, **how)
        )
        answers = inspect(client, ("1.png", png(1)), ("2.png", png(2))).json()
    assert encoded == [1, 1] and all(one["kept"] and one["milliseconds"] > 0 for one in answers)
    with installation.store.session(read_only=True) as session:
        assert unclaimed_images(session, installation.project_id, 10) == []
        assert session.scalar(select(func.count()).select_from(Prediction)) == 2


def test_regions_are_those_of_the_map_and_in_mm_with_a_scale(client: TestClient, installation: Installation) -> None:
    [plain] = inspect(client, ("1.png", png(1)), map=True).json()
    whole = np.asarray(Picture.open(io.BytesIO(base64.b64decode(plain["map_png"])))).astype(float) / 65535
    assert whole.shape == (70, 90)
    set_up(installation, map_threshold=float(np.median(whole)), px_per_mm=4)
    [found] = inspect(client, ("1.png", png(1))).json()
    over = whole >= np.median(whole)
    assert found["map_png"] is None and sum(one["area"] for one in found["regions"]) == pytest.approx(over.sum(), abs=3)
    first = found["regions"][0]
    left, top, right, bottom = first["box"]
    assert first["peak"] == pytest.approx(whole.max(), abs=1e-3)
    assert all(left <= x <= right and top <= y <= bottom for x, y in first["polygon"]) and len(first["polygon"]) > 2
    assert first["length"] >= max(right - left, bottom - top)
    assert first["area_mm2"] == first["area"] / 16 and first["box_mm"] == [side / 4 for side in first["box"]]
    [own] = inspect(client, ("1.png", png(1)), px_per_mm=10).json()
    assert own["regions"][0]["length_mm"] == pytest.approx(first["length"] / 10)


def test_the_projects_rule_says_what_is_kept(client: TestClient, installation: Installation) -> None:
    files = [(f"{seed}.png", png(seed)) for seed in range(6)]
    scores = [one["score"] for one in inspect(client, *files).json()]
    assert images(installation) == 6
    for image_id in range(1, 7):
        client.delete(f"/api/v1/images/{image_id}")
    set_up(installation, keep="anomalous", threshold=min(1.0, max(scores) + 0.2))
    assert not any(one["kept"] for one in inspect(client, *files).json())
    set_up(installation, threshold=min(scores))
    assert all(one["kept"] for one in inspect(client, *files[:2]).json())
    set_up(installation, keep="sample", keep_every=2)
    by_rule = [int(one["sha256"][:12], 16) % 2 == 0 for one in inspect(client, *files).json()]
    assert [one["kept"] for one in inspect(client, *files).json()] == by_rule


@pytest.mark.parametrize("settings", [{"keep": "some"}, {"keep_every": 0}, {"px_per_mm": -1}, {"name_pattern": "{x}"}])
def test_a_rule_that_is_none_is_refused(client: TestClient, installation: Installation, settings: dict) -> None:
    answer = client.patch(f"/api/v1/projects/{installation.project_id}", json={"settings": settings})
    assert_problem(answer, 422, "bad-setting")


def test_a_file_that_is_no_image_is_an_entry_of_its_own(client: TestClient, installation: Installation) -> None:
    bad, good = inspect(client, ("bad.png", b"no"), ("1.png", png(1))).json()
    assert bad["file_name"] == "bad.png" and bad["error"] and good["kept"] and images(installation) == 1


def test_more_than_the_limit_at_once_are_told_to_come_again(
    client: TestClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_settings(), "inspect_at_once", 2)
    engine, go_on, waiting = get_engine(), Event(), Event()
    encode = engine.encode

    def held(pictures: list, **how: object) -> list:
        waiting.set()
        assert go_on.wait(30)
        return encode(pictures, **how)

    monkeypatch.setattr(engine, "encode", held)
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(inspect, client, ("1.png", png(1)), ("2.png", png(2)))
        assert waiting.wait(30)
        refused = inspect(client, ("3.png", png(3)))
        go_on.set()
        assert [one["kept"] for one in first.result().json()] == [True, True]
    assert_problem(refused, 503, "overloaded", "INSPECT_AT_ONCE")
    assert refused.headers["retry-after"] == "1" and images(installation) == 2
    assert inspect(client, ("3.png", png(3))).status_code == 200
    assert_problem(inspect(client, *[(f"{seed}.png", png(seed)) for seed in range(3)]), 413, "too-large")


def test_a_model_in_trouble_is_a_503_and_nothing_is_kept(
    client: TestClient, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(get_engine(), "encode", broken)
    refused = inspect(client, ("1.png", png(1)))
    assert_problem(refused, 503, "engine-trouble", "CUDA out of memory")
    assert refused.headers["retry-after"] == "2" and images(installation) == 0
