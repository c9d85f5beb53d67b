"""A drawing that is shown again: another place, filter and tones, and the same things wrong with it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from engine.pretrain.augmentation import augmented
from engine.pretrain.batches import Batch, make_batch
from engine.pretrain.drawing.sample import Sample

SIZE, COUNT = 64, 48


def _batch(image: np.ndarray, labels: np.ndarray) -> Batch:
    """COUNT times the same picture."""
    sample = Sample(image, labels, "plate", "surface", ("spot",) if labels.any() else ())
    return make_batch(np.random.default_rng(0), [sample] * COUNT)


@pytest.fixture
def marked() -> Batch:
    """A grey plate with grain, and one bright square that is labelled 3."""
    grain = np.random.default_rng(0).normal(90, 4, (SIZE, SIZE, 1)).repeat(3, axis=2)
    labels = np.zeros((SIZE, SIZE), dtype=np.uint8)
    labels[24:40, 20:44] = 3
    return _batch(np.where(labels[..., None] > 0, [220, 210, 150], grain).astype(np.uint8), labels)


def test_a_showing_depends_on_seed_and_step_alone(marked: Batch) -> None:
    first, again, later = augmented(marked, 7, 3), augmented(marked, 7, 3), augmented(marked, 7, 4)
    assert torch.equal(first.images, again.images) and torch.equal(first.labels, again.labels)
    assert not torch.equal(first.images, later.images)
    assert not torch.equal(augmented(marked, 8, 3).images, first.images)


def test_most_images_change_and_some_stay_as_they_were_drawn(marked: Batch) -> None:
    shown = augmented(marked, 0, 0)
    assert shown.images.dtype == torch.uint8 and shown.images.shape == marked.images.shape
    same = (shown.images == marked.images).flatten(1).all(dim=1).float().mean()
    assert 0.02 < same < 0.4


def test_the_label_goes_where_the_mark_goes(marked: Batch) -> None:
    """What is odd stays odd: inside the label, pixels lie far from the picture's median."""
    kept = []
    for step in range(4):
        shown = augmented(marked, 0, step)
        assert set(shown.labels.unique().tolist()) <= {0, 3}
        for image, labels in zip(shown.images.float(), shown.labels > 0, strict=True):
            if not 20 < labels.sum() < labels.numel() / 2:  # nearly out of view, or filling it
                continue
            away = (image - image.flatten(1).median(dim=1).values[:, None, None]).abs().sum(dim=0)
            kept.append(float(away[labels].median() > away[~labels].quantile(0.9)))
    assert len(kept) > 2 * COUNT
    assert np.mean(kept) > 0.9


def test_a_hairline_keeps_its_label_when_the_picture_shrinks() -> None:
    image, labels = np.full((SIZE, SIZE, 3), 60, np.uint8), np.zeros((SIZE, SIZE), np.uint8)
    image[:, 31], labels[:, 31] = 255, 1
    pieces = []
    for step in range(4):
        for marks in augmented(_batch(image, labels), 1, step).labels.numpy() > 0:
            _, count = ndimage.label(marks, structure=np.ones((3, 3)))  # a broken line would be many
            pieces.append(count)
    assert np.mean(np.array(pieces) > 3) < 0.03  # few show the line and two mirrored ones, or more


def test_a_normal_batch_stays_normal(marked: Batch) -> None:
    normal = replace(marked, labels=torch.zeros_like(marked.labels))
    assert not augmented(normal, 0, 0).labels.any()
