"""What thresholds rest on: the newest label of each image, the active version's score, and the pixels of its map."""

import numpy as np
import pytest

from tests.conftest import Installation
from tests.pictures import mask_png, png
from tests.workers.making import add
from workers.images.correcting import mark_anomalous, mark_normal, save_mask
from workers.images.intake import add_upload
from workers.scoring.maps import grid_map
from workers.scoring.scorer import score_unscored
from workers.thresholds.evidence import pixel_evidence, score_evidence, score_probability


@pytest.fixture
def ids(installation: Installation) -> list[int]:
    added = [add(installation, seed=seed) for seed in range(4)]
    score_unscored(installation.store, installation.project_id, limit=10)
    return added


def test_the_newest_label_counts_and_the_others_are_unlabelled(installation: Installation, ids: list[int]) -> None:
    mark_normal(installation.store, ids[0])
    mark_normal(installation.store, ids[1])
    save_mask(installation.store, ids[1], mask_png())
    with installation.store.session(read_only=True) as session:
        evidence = score_evidence(session, installation.project_id)
        assert score_probability(session, installation.project_id) is None
    sums = evidence.normal.sum(), evidence.anomalous.sum(), evidence.unlabelled.sum()
    assert sums == (1, 1, 2) == (evidence.normal_images, evidence.anomalous_images, 2)


def test_pixels_are_counted_by_the_mask_and_each_image_weighs_alike(installation: Installation, ids: list[int]) -> None:
    mark_normal(installation.store, ids[0])
    save_mask(installation.store, ids[1], mask_png(box=(0, 0, 45, 70)))  # its left half
    evidence = pixel_evidence(installation.store, installation.project_id)
    assert evidence.anomalous.sum() == pytest.approx(0.5, abs=0.01)
    assert evidence.normal.sum() == pytest.approx(1.5, abs=0.01)
    left = grid_map(installation.store, ids[1])[:, :31]
    occupied = np.flatnonzero(evidence.anomalous)
    assert occupied.min() / 1000 <= left.min() and left.max() <= (occupied.max() + 1) / 1000


def test_images_of_any_shape_weigh_alike(installation: Installation) -> None:
    store, project_id = installation.store, installation.project_id
    for number, (width, height) in enumerate(((240, 80), (80, 240), (90, 70))):
        image_id = add_upload(store, project_id, f"{number}.png", png(number, width=width, height=height)).image_id
        save_mask(store, image_id, mask_png(width, height, box=(0, 0, width // 2, height)))
    score_unscored(store, project_id, limit=10)
    evidence = pixel_evidence(store, project_id)
    assert evidence.anomalous.sum() == pytest.approx(1.5, abs=0.05)
    assert evidence.normal.sum() == pytest.approx(1.5, abs=0.05)


def test_an_image_that_is_anomalous_nobody_said_where_says_nothing_of_pixels_and_counts_as_an_image(
    installation: Installation, ids: list[int]
) -> None:
    mark_normal(installation.store, ids[0])
    mark_anomalous(installation.store, ids[1])
    pixels = pixel_evidence(installation.store, installation.project_id)
    assert (pixels.normal.sum(), pixels.anomalous.sum()) == (pytest.approx(1.0), 0.0)
    assert (pixels.normal_images, pixels.anomalous_images) == (1, 0)
    with installation.store.session(read_only=True) as session:
        images = score_evidence(session, installation.project_id)
    assert (images.normal_images, images.anomalous_images) == (1, 1)


def test_enough_labels_make_a_probability_that_follows_the_next_label(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.thresholds.calibrating.ENOUGH", 2)
    store, project_id = installation.store, installation.project_id
    added = [add(installation, seed=seed) for seed in range(8)]
    score_unscored(store, project_id, limit=10)
    with store.session(read_only=True) as session:
        from db.images.rows import get_image_row

        rows = [get_image_row(session, one) for one in added]
    by_score = [row.image.id for row in sorted(rows, key=lambda row: row.prediction.score if row.prediction else 0)]
    for image_id in by_score[:3]:
        mark_normal(store, image_id)
    for image_id in by_score[4:7]:
        save_mask(store, image_id, mask_png())
    with store.session(read_only=True) as session:
        first = score_probability(session, project_id)
    mark_normal(store, by_score[3])
    with store.session(read_only=True) as session:
        second = score_probability(session, project_id)
    assert first is not None and second is not None
    assert (first.images, second.images) == (6, 7) and first != second
