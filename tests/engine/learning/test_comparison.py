"""Histograms give the same metrics as pixels, and the interval tells luck from gain."""

import numpy as np
import pytest

from engine.evaluation.metrics.of_arrays import aupro, auroc, average_precision
from engine.learning.comparison import compare, held_out, measure

RNG = np.random.default_rng(4)


def maps_and_masks(count: int, gain: float, seed: int):
    rng = np.random.default_rng(seed)
    masks = np.zeros((count, 48, 48), dtype=np.uint8)
    for mask in masks[: count - 2]:
        row, column = rng.integers(0, 36, 2)
        mask[row : row + 8, column : column + 8] = 1
    maps = 1 / (1 + np.exp(-(rng.normal(size=masks.shape) + gain * masks)))
    return maps.astype(np.float32), masks


def images_of(maps, masks):
    return [held_out(float(m.max()), m, k) for m, k in zip(maps, masks, strict=True)]


def test_metrics_of_histograms_equal_those_of_pixels():
    maps, masks = maps_and_masks(6, 1.5, seed=0)
    found = {name: values[0] for name, values in measure(images_of(maps, masks)).items()}
    assert found["pixel_auroc"] == pytest.approx(auroc(masks, maps), abs=2e-4)
    assert found["pixel_ap"] == pytest.approx(average_precision(masks, maps), abs=2e-3)
    assert found["pixel_aupro"] == pytest.approx(aupro(masks, maps), abs=2e-3)
    alone = [(auroc(k, m), average_precision(k, m)) for m, k in zip(maps, masks, strict=True) if k.any()]
    assert found["within_auroc"] == pytest.approx(np.mean([pair[0] for pair in alone]), abs=2e-4)
    assert found["within_ap"] == pytest.approx(np.mean([pair[1] for pair in alone]), abs=2e-3)
    labels = masks.reshape(6, -1).max(axis=1)
    assert found["image_auroc"] == pytest.approx(auroc(labels, maps.reshape(6, -1).max(axis=1)), abs=1e-9)


def test_a_clear_gain_has_an_interval_above_zero_and_luck_has_not():
    weak, masks = maps_and_masks(8, 0.5, seed=1)
    strong, _ = maps_and_masks(8, 2.0, seed=1)
    other, _ = maps_and_masks(8, 0.5, seed=2)
    clear = compare(images_of(strong, masks), images_of(weak, masks), seed=0)
    assert clear.difference["pixel_auroc"] > 0.2
    assert clear.interval["pixel_auroc"][0] > 0.1
    assert clear.risk["pixel_auroc"] == 0 and clear.gain_risk == 0
    luck = compare(images_of(np.roll(weak, 1, axis=2) * 0 + other, masks), images_of(other, masks), seed=0)
    low, high = luck.interval["pixel_auroc"]
    assert low <= 0 <= high
    worse = compare(images_of(weak, masks), images_of(strong, masks), seed=0)
    assert worse.risk["pixel_auroc"] == 1 and worse.gain_risk == 1


def test_what_is_undefined_is_none():
    maps, masks = maps_and_masks(4, 1.0, seed=3)
    masks[:] = 0
    masks[:, :3, :3] = 1  # every image is anomalous: no image AUROC
    comparison = compare(images_of(maps, masks), images_of(maps, masks), seed=0)
    assert comparison.candidate["image_auroc"] is None
    assert comparison.interval["image_auroc"] is None
    assert comparison.candidate["pixel_auroc"] is not None
