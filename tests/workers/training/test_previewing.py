"""Previews: after corrections the next images are shown with what was learnt so far, and nothing waits for it."""

import logging

import numpy as np
import pytest

from db.images.previews import previews_of
from db.images.rows import get_image_row
from db.tables.core import Preview
from tests.conftest import Installation
from tests.pictures import mask_png
from tests.running import wait_until
from tests.workers.making import activate_copy, add, correct
from workers.images.correcting import mark_normal, save_mask
from workers.scoring.background import BackgroundScorer
from workers.scoring.maps import previewed_image, read_map, scored_image
from workers.scoring.scorer import score_unscored
from workers.training import preview_fitting, previewing
from workers.training.previewing import NEXT_IMAGES, preview_images, refresh_previews
from workers.training.promoting import activate_version


def waiting(installation: Installation, count: int) -> list[int]:
    """Images that are scored and not corrected."""
    ids = [add(installation, seed=1000 + number) for number in range(count)]
    score_unscored(installation.store, installation.project_id, limit=100)
    return ids


def shown(installation: Installation, image_ids: list[int]) -> dict[int, Preview]:
    with installation.store.session(read_only=True) as session:
        return previews_of(session, image_ids)


def refresh(installation: Installation) -> None:
    refresh_previews(installation.store, installation.project_id)


def test_the_next_images_and_the_corrected_one_are_previewed(installation: Installation) -> None:
    ids = waiting(installation, NEXT_IMAGES + 3)
    corrected = [correct(installation, 2, normal=True), correct(installation, 2, first_seed=50)][1][-1].image_id
    refresh(installation)

    previews = shown(installation, [*ids, corrected])
    assert len(previews) == NEXT_IMAGES + 1 and corrected in previews
    assert all(0 <= one.score <= 1 and one.corrections == 4 for one in previews.values())
    image_id = next(one for one in ids if one in previews)
    image, preview = previewed_image(installation.store, image_id)
    _, prediction = scored_image(installation.store, image_id)
    values = read_map(installation.store, preview)
    assert image.id == image_id and 0 <= values.min() < values.max() <= 1
    assert values.shape != read_map(installation.store, prediction).shape or not np.allclose(
        values, read_map(installation.store, prediction)
    )


def test_an_image_that_someone_opens_is_previewed_too(installation: Installation) -> None:
    ids = waiting(installation, NEXT_IMAGES + 2)
    correct(installation, 2)
    refresh(installation)
    left = next(one for one in ids if one not in shown(installation, ids))
    preview_images(installation.store, installation.project_id, [left, 10**6])
    assert left in shown(installation, ids)


@pytest.mark.parametrize("normal", [0, 2])
def test_where_nothing_is_marked_nothing_is_shown(installation: Installation, normal: int) -> None:
    ids = waiting(installation, 2)
    correct(installation, normal, normal=True)
    refresh(installation)
    assert shown(installation, ids) == {}


def test_corrections_in_a_row_are_learnt_from_once(installation: Installation, monkeypatch) -> None:
    fits = []
    fit = preview_fitting.preview_detector
    monkeypatch.setattr(preview_fitting, "preview_detector", lambda *all_of: fits.append(1) or fit(*all_of))
    waiting(installation, 2)
    correct(installation, 3)
    for _ in range(3):
        refresh(installation)
    assert len(fits) == 1
    correct(installation, 1, first_seed=60)
    refresh(installation)
    assert len(fits) == 2


def test_a_correction_that_takes_the_last_mask_back_takes_the_previews_too(installation: Installation) -> None:
    ids = waiting(installation, 2)
    save_mask(installation.store, ids[0], mask_png())
    refresh(installation)
    assert ids[1] in shown(installation, ids)
    mark_normal(installation.store, ids[0])
    refresh(installation)
    assert shown(installation, ids) == {}


def test_another_version_in_use_ends_the_previews_and_their_maps(installation: Installation) -> None:
    ids = waiting(installation, 2)
    save_mask(installation.store, ids[0], mask_png())
    refresh(installation)
    keys = [one.map_blob_key for one in shown(installation, ids).values()]
    activate_copy(installation)
    assert shown(installation, ids) == {}
    with installation.store.session(read_only=True) as session:
        first = get_image_row(session, ids[0]).image.project_id
    assert first == installation.project_id
    activate_version(installation.store, 1)
    assert shown(installation, ids) == {}
    assert keys and not any(installation.store.blobs.exists(key) for key in keys)


def test_a_failure_is_logged_shows_nothing_and_costs_no_correction(
    installation: Installation, monkeypatch, caplog: pytest.LogCaptureFixture
) -> None:
    ids = waiting(installation, 2)
    save_mask(installation.store, ids[0], mask_png())
    refresh(installation)

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(preview_fitting, "preview_detector", fail)
    saved = save_mask(installation.store, ids[1], mask_png())
    with caplog.at_level(logging.ERROR):
        refresh(installation)
    assert saved.revision == 1 and shown(installation, ids) == {}
    assert "a run learns from them" in caplog.text


def test_the_scoring_thread_of_the_page_makes_them(installation: Installation) -> None:
    ids = waiting(installation, 2)
    scorer = BackgroundScorer(installation.store)
    scorer.start()
    save_mask(installation.store, ids[0], mask_png())
    scorer.refresh_previews(installation.project_id)
    wait_until(lambda: ids[1] in shown(installation, ids), "previewed")
    scorer.stop()
    assert previewing._lock.acquire(timeout=5)
    previewing._lock.release()
