"""Scoring: what is done, in which order, what is kept when it fails, and that doing it twice changes nothing."""

import time
from collections.abc import Callable

import pytest
import torch
from sqlalchemy import func, select

from db.images.images import delete_image, get_image
from db.images.predictions import active_prediction
from db.images.rows import get_image_row, unscored_images
from db.operations.check import check
from db.tables.core import Prediction
from db.training.prompt_versions import activate, add_version
from engine.detector.files import detector_to_bytes
from engine.detector.maps import map_to_npy
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import random_prompts
from engine.features.image_features import ImageFeatures
from engine.images.decoding import decode_image
from tests.conftest import Installation
from tests.engine.detector.making import random_detector
from tests.pictures import picture, png
from tests.running import wait_until
from tests.workers.making import add, change_image, nameless
from workers.errors import PromptError
from workers.images.intake import add_upload
from workers.scoring.background import BackgroundScorer
from workers.scoring.engine_host import engine_status, get_engine, trouble
from workers.scoring.maps import grid_map
from workers.scoring.scorer import score_images, score_unscored
from workers.scoring.trouble import EngineTrouble
from workers.training.promoting import import_prompts


def activate_other_prompts(installation: Installation, *, fingerprint: str | None = None) -> int:
    engine, store = get_engine(), installation.store
    data = prompts_to_bytes(random_prompts(engine.backbone, 5))
    blob_key = store.blobs.put(data)
    with store.session() as session:
        version = add_version(
            session,
            project_id=installation.project_id,
            origin="imported",
            blob_key=blob_key,
            sha256=blob_key[-64:],
            backbone_name=engine.info.name,
            backbone_fingerprint=fingerprint or engine.info.fingerprint,
        )
        return activate(session, version.id).id


def status(installation: Installation, image_id: int) -> str:
    with installation.store.session(read_only=True) as session:
        return get_image_row(session, image_id).status


def predictions(installation: Installation) -> int:
    with installation.store.session(read_only=True) as session:
        return session.scalar(select(func.count()).select_from(Prediction)) or 0


@pytest.mark.parametrize(("width", "height"), [(240, 60), (60, 240)])
def test_a_long_image_has_a_long_map(installation: Installation, width: int, height: int) -> None:
    data = png(1, width=width, height=height)
    image_id = add_upload(installation.store, installation.project_id, "long.png", data).image_id
    assert score_images(installation.store, [image_id]) == 1
    rows, columns = grid_map(installation.store, image_id).shape
    assert (columns > 2 * rows) == (width > height) and (rows > 2 * columns) == (height > width)


def test_what_is_encoded_is_kept_with_its_surface(installation: Installation) -> None:
    image_id = add(installation)
    score_images(installation.store, [image_id])
    cache = get_engine().cache
    with installation.store.session(read_only=True) as session:
        features = cache.get(get_image(session, image_id).sha256) if cache else None
    assert features is not None and features.surface is not None


def test_a_version_with_every_part_scores_as_its_detector_does(installation: Installation) -> None:
    store, engine = installation.store, get_engine()
    detector = random_detector(engine)
    image_id = add(installation)
    score_images(store, [image_id])
    version = import_prompts(store, installation.project_id, "full.safetensors", detector_to_bytes(detector))
    with store.session() as session:
        activate(session, version.id)

    assert score_images(store, [image_id]) == 1

    with store.session(read_only=True) as session:
        prediction = active_prediction(session, image_id)
    expected = engine.score_images([picture(0)], detector)[0]
    assert prediction is not None and prediction.prompt_version_id == version.id
    assert prediction.score == pytest.approx(expected.score, abs=1e-3)
    assert abs(grid_map(store, image_id) - expected.anomaly_map).max() < 2e-3


def test_a_score_is_kept_with_its_map_and_the_settings_that_made_it(installation: Installation) -> None:
    image_id = add(installation)
    assert score_images(installation.store, [image_id]) == 1
    with installation.store.session(read_only=True) as session:
        prediction = active_prediction(session, image_id)
    assert prediction is not None and 0 <= prediction.score <= 1
    values = grid_map(installation.store, image_id)
    assert values.shape == (64, 64) and prediction.map_max == pytest.approx(values.max())
    made = dict(prediction.engine_settings)
    assert 0 < made.pop("seconds") < 60
    assert made == {
        "backbone": "tiny",
        "image_size": 64,
        "layers": [2, 3, 4],
        "device": "cpu",
        "precision": "fp32",
        "from_cache": False,
    }


def test_a_score_from_kept_features_says_so(installation: Installation) -> None:
    image_id = add(installation)
    for from_cache in (False, True):
        score_images(installation.store, [image_id])
        with installation.store.session(read_only=True) as session:
            prediction = active_prediction(session, image_id)
        assert prediction is not None and prediction.engine_settings["from_cache"] is from_cache


def test_scoring_twice_makes_one_prediction(installation: Installation) -> None:
    image_id = add(installation)
    for _ in range(2):
        score_images(installation.store, [image_id])
    assert predictions(installation) == 1


def test_what_is_scored_is_not_scored_again(installation: Installation) -> None:
    add(installation)
    counts = [score_unscored(installation.store, installation.project_id, limit=10) for _ in range(2)]
    assert counts == [1, 0]


def test_the_newest_come_first(installation: Installation) -> None:
    oldest, middle, newest = (add(installation, seed=seed) for seed in range(3))
    score_unscored(installation.store, installation.project_id, limit=2)
    assert [status(installation, one) for one in (newest, middle, oldest)] == ["to_review", "to_review", "unscored"]


def test_after_another_version_the_cached_come_before_the_newest(installation: Installation) -> None:
    cached = add(installation, seed=1)
    score_images(installation.store, [cached])
    fresh = add(installation, seed=2)
    activate_other_prompts(installation)
    score_unscored(installation.store, installation.project_id, limit=1)
    assert [status(installation, one) for one in (cached, fresh)] == ["to_review", "unscored"]


def test_cached_features_give_the_score_that_fresh_ones_gave(installation: Installation) -> None:
    image_id = add(installation)
    score_images(installation.store, [image_id])
    fresh = grid_map(installation.store, image_id)
    assert get_engine().cache is not None
    score_images(installation.store, [image_id])
    assert (grid_map(installation.store, image_id) == fresh).all()


def test_an_image_that_can_not_be_read_fails_alone_and_says_why(installation: Installation) -> None:
    good, lost = add(installation, seed=1), add(installation, seed=2)
    with installation.store.session(read_only=True) as session:
        installation.store.blobs.delete(get_image(session, lost).blob_key)
    assert score_unscored(installation.store, installation.project_id, limit=10) == 2
    assert [status(installation, one) for one in (good, lost)] == ["to_review", "failed"]
    with installation.store.session(read_only=True) as session:
        assert "missing" in (get_image(session, lost).scoring_error or "")
        assert unscored_images(session, installation.project_id, 10) == []


def test_one_of_many_images_whose_kept_features_are_damaged_is_looked_at_anew(installation: Installation) -> None:
    images = [add(installation, seed=seed) for seed in range(3)]
    score_images(installation.store, images)
    cache = get_engine().cache
    assert cache is not None
    with installation.store.session(read_only=True) as session:
        sha256 = get_image(session, images[1]).sha256
    cache.put(sha256, ImageFeatures(torch.ones(7).half(), torch.ones(3, 64, 7).half()))  # another width
    activate_other_prompts(installation)
    assert score_unscored(installation.store, installation.project_id, limit=10) == 3
    assert [status(installation, one) for one in images] == ["to_review"] * 3


def test_what_the_machine_could_not_do_is_written_on_no_image_and_tried_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = [add(installation, seed=seed) for seed in range(3)]
    with monkeypatch.context() as patch:
        patch.setattr(get_engine(), "encode", _out_of_memory)
        with pytest.raises(EngineTrouble, match="Images wait, and are tried again"):
            score_unscored(installation.store, installation.project_id, limit=10)
        assert engine_status()["state"] == "waiting" and "CUDA out of memory" in engine_status()["error"]
    assert [status(installation, one) for one in images] == ["unscored"] * 3
    with pytest.raises(EngineTrouble):
        score_unscored(installation.store, installation.project_id, limit=10)
    trouble().pauses._until = 0.0
    assert score_unscored(installation.store, installation.project_id, limit=10) == 3
    assert [status(installation, one) for one in images] == ["to_review"] * 3
    assert engine_status()["state"] == "ready"


def test_trouble_while_scoring_what_is_cached_is_the_machines_too(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = add(installation)
    score_images(installation.store, [image_id])
    activate_other_prompts(installation)
    monkeypatch.setattr(get_engine(), "score", _out_of_memory)
    with pytest.raises(EngineTrouble):
        score_unscored(installation.store, installation.project_id, limit=10)
    assert status(installation, image_id) == "unscored"


def test_an_image_that_fails_alone_again_and_again_while_others_do_not_is_at_fault(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.scoring.trouble._IMAGE_PAUSES", (0.0, 0.0))
    bad, good = add(installation, seed=1), add(installation, seed=2)
    monkeypatch.setattr(get_engine(), "encode", _all_but(installation, bad))
    for times in range(1, 4):
        score_unscored(installation.store, installation.project_id, limit=10)
        assert status(installation, good) == "to_review"
        assert status(installation, bad) == ("failed" if times == 3 else "unscored")


def test_an_image_that_failed_alone_rests_and_holds_up_no_other(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = add(installation, seed=1)
    monkeypatch.setattr(get_engine(), "encode", _all_but(installation, bad))
    assert [score_unscored(installation.store, installation.project_id, limit=1) for _ in range(2)] == [1, 0]
    add(installation, seed=2)
    assert score_unscored(installation.store, installation.project_id, limit=1) == 1


def test_with_an_engine_broken_for_a_while_all_are_scored_in_the_end(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.scoring.trouble._FIRST_SECONDS", 0.1)
    images = [add(installation, seed=seed) for seed in range(20)]
    engine, calls = get_engine(), []
    encode = engine.encode

    def broken_in_the_middle(pictures: list, *, surface: bool) -> list:
        calls.append(time.monotonic())
        if len(calls) > 1 and time.monotonic() - calls[1] < 2:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return encode(pictures, surface=surface)

    monkeypatch.setattr(engine, "encode", broken_in_the_middle)
    scorer = BackgroundScorer(installation.store)
    scorer.start()
    try:
        wait_until(lambda: all(status(installation, one) == "to_review" for one in images), "all scored")
    finally:
        scorer.stop()


def _out_of_memory(*_: object, **__: object) -> None:
    raise RuntimeError("CUDA out of memory")


def _all_but(installation: Installation, image_id: int) -> Callable:
    """The engine's `encode`, which works for all pictures but this one."""
    encode = get_engine().encode
    with installation.store.session(read_only=True) as session:
        data = installation.store.blobs.get(get_image(session, image_id).blob_key)
    bad = decode_image(data).tobytes()

    def encode_others(pictures: list, *, surface: bool) -> list:
        if any(picture.tobytes() == bad for picture in pictures):
            raise RuntimeError("this one is odd")
        return encode(pictures, surface=surface)

    return encode_others


def test_large_images_are_not_decoded_eight_at_a_time(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [add(installation, seed=seed) for seed in range(5)]  # of 90×70 px
    monkeypatch.setattr("workers.scoring.scorer._BATCH_PIXELS", 2 * 90 * 70 + 1)
    engine, sizes = get_engine(), []
    encode = engine.encode

    def counted(pictures: list, *, surface: bool) -> list:
        sizes.append(len(pictures))
        return encode(pictures, surface=surface)

    monkeypatch.setattr(engine, "encode", counted)
    score_images(installation.store, ids)
    assert sizes == [2, 2, 1]
    monkeypatch.setattr("workers.scoring.scorer._BATCH_PIXELS", 1)
    assert score_images(installation.store, [add(installation, seed=9)]) == 1


def test_a_failure_is_forgotten_when_the_image_can_be_scored(installation: Installation) -> None:
    image_id = add(installation)
    change_image(installation, image_id, scoring_error="there was no memory")
    score_images(installation.store, [image_id])
    assert status(installation, image_id) == "to_review"


def test_an_image_deleted_meanwhile_is_passed_over(installation: Installation) -> None:
    gone, there = add(installation, seed=1), add(installation, seed=2)
    with installation.store.session() as session:
        delete_image(session, gone)
    assert score_images(installation.store, [gone, there]) == 1


def test_of_an_image_deleted_between_its_map_and_its_prediction_nothing_stays(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, there, store = add(installation, seed=1), add(installation, seed=2), installation.store
    put = store.blobs.put

    def put_while_it_is_deleted(data: bytes) -> str:
        monkeypatch.setattr(store.blobs, "put", put, raising=False)
        with store.session() as session:
            keys = delete_image(session, gone)
        store.delete_blobs(keys)
        return put(data)

    monkeypatch.setattr(store.blobs, "put", put_while_it_is_deleted, raising=False)
    score_images(store, [gone, there])
    assert status(installation, there) == "to_review" and nameless(installation) == set()


def test_a_map_that_comes_out_otherwise_takes_the_place_of_the_first_one(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches of other sizes differ in the last bits."""
    image_id = add(installation)
    score_images(installation.store, [image_id])
    monkeypatch.setattr(
        "workers.scoring.version_scorer.map_to_npy", lambda anomaly_map: map_to_npy(anomaly_map * 0.999)
    )
    score_images(installation.store, [image_id])
    assert nameless(installation) == set() and check(installation.store) == []


def test_a_map_that_was_deleted_before_it_was_named_is_there_all_the_same(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id, store = add(installation), installation.store
    put = store.blobs.put

    def put_and_lose(data: bytes) -> str:
        key = put(data)
        monkeypatch.setattr(store.blobs, "put", put, raising=False)
        store.delete_blobs([key])  # someone deletes another image with the very same map
        return key

    monkeypatch.setattr(store.blobs, "put", put_and_lose, raising=False)
    score_images(store, [image_id])
    assert grid_map(store, image_id).shape == (64, 64) and check(store) == []


def test_prompts_of_another_backbone_leave_images_unscored_and_say_so(
    installation: Installation, tmp_path: object
) -> None:
    image_id = add(installation)
    engine = get_engine()
    foreign = prompts_to_bytes(random_prompts(engine.backbone, 1)).replace(engine.info.fingerprint.encode(), b"f" * 64)
    blob_key = installation.store.blobs.put(foreign)
    with installation.store.session() as session:
        version = add_version(
            session,
            project_id=installation.project_id,
            origin="tuned",
            blob_key=blob_key,
            sha256=blob_key[-64:],
            backbone_name="another",
            backbone_fingerprint="f" * 64,
        )
        activate(session, version.id)
    with pytest.raises(PromptError, match="ANOMALYLOOP_BACKBONE"):
        score_unscored(installation.store, installation.project_id, limit=10)
    assert status(installation, image_id) == "unscored"
