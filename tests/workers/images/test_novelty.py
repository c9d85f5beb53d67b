"""How unlike the corrected images another one is, and that the queue follows the corrections."""

import numpy as np
import pytest

from db.images.rows import get_image_row
from tests.conftest import Installation
from tests.workers.making import add
from workers.images.correcting import mark_normal
from workers.images.novelty import CorrectedImages, refresh_queue
from workers.scoring.scorer import score_unscored


def unit(*angles: float) -> np.ndarray:
    """(n, 2) unit vectors at these angles, in degrees."""
    turned = np.radians(angles)
    return np.stack([np.cos(turned), np.sin(turned)], axis=1).astype(np.float32)


def test_a_corrected_image_is_not_new_and_one_as_far_as_they_are_from_each_other_is_half_new() -> None:
    corrected = CorrectedImages(unit(0, 10, 20))
    assert corrected.novelty(unit(10)[0]) == pytest.approx(0.0, abs=1e-4)
    assert corrected.novelty(unit(30)[0]) == pytest.approx(0.5, abs=1e-3)
    assert 0.9 < corrected.novelty(unit(80)[0]) < 1


@pytest.mark.parametrize("features", [np.empty((0, 0), np.float32), unit(0)])
def test_with_fewer_than_two_corrected_images_nothing_is_known(features: np.ndarray) -> None:
    assert CorrectedImages(features).novelty(unit(90)[0]) == 0.0


def test_corrected_images_that_are_all_alike_make_others_new() -> None:
    assert CorrectedImages(unit(0, 0, 0)).novelty(unit(5)[0]) > 0.9


def novelty(installation: Installation, image_id: int) -> float:
    with installation.store.session(read_only=True) as session:
        prediction = get_image_row(session, image_id).prediction
    assert prediction is not None
    return prediction.novelty


def test_novelty_is_known_once_images_are_corrected_and_follows_them(installation: Installation) -> None:
    ids = [add(installation, seed=seed) for seed in range(4)]
    score_unscored(installation.store, installation.project_id, limit=10)
    assert [novelty(installation, one) for one in ids] == [0.0] * 4

    for image_id in ids[:2]:
        mark_normal(installation.store, image_id)
    refresh_queue(installation.store, installation.project_id)

    assert all(novelty(installation, one) > 0 for one in ids[2:])


def test_an_image_that_comes_after_the_corrections_is_compared_with_them(installation: Installation) -> None:
    ids = [add(installation, seed=seed) for seed in range(2)]
    score_unscored(installation.store, installation.project_id, limit=10)
    for image_id in ids:
        mark_normal(installation.store, image_id)
    late = add(installation, seed=5)
    score_unscored(installation.store, installation.project_id, limit=10)
    assert novelty(installation, late) > 0
