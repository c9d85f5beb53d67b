"""Scoring: what is done, in which order, what is kept when it fails, and that doing it twice changes nothing."""

import pytest
import torch
from sqlalchemy import func, select

from db.images import delete_image, get_image, get_image_row, unscored_images
from db.models import Prediction
from db.predictions import active_prediction
from db.prompt_versions import activate, add_version
from engine.features import ImageFeatures
from engine.prompt_files import prompts_to_bytes
from engine.prompts import random_prompts
from tests.conftest import Installation
from tests.workers.making import add, change_image
from workers.engine_host import get_engine
from workers.errors import PromptError
from workers.maps import grid_map
from workers.scoring import score_images, score_unscored


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


def test_one_of_many_cached_images_fails_alone_and_says_why(installation: Installation) -> None:
    images = [add(installation, seed=seed) for seed in range(3)]
    score_images(installation.store, images)
    cache = get_engine().cache
    assert cache is not None
    with installation.store.session(read_only=True) as session:
        sha256 = get_image(session, images[1]).sha256
    cache.put(sha256, ImageFeatures(torch.ones(7).half(), torch.ones(3, 64, 7).half()))  # another width
    activate_other_prompts(installation)
    assert score_unscored(installation.store, installation.project_id, limit=10) == 3
    assert [status(installation, one) for one in images] == ["to_review", "failed", "to_review"]


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
