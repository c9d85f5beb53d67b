"""Metrics of counted values are those of the values, where no bin holds two that differ."""

import numpy as np
import pytest
from skimage.measure import label as connected_regions

from engine.evaluation.metrics import histograms, of_arrays

BINS = 64


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray]:
    """Masks (3, 20, 30) with regions of several sizes, and maps whose values are numbers of bins, 0 the highest."""
    random = np.random.default_rng(0)
    masks = np.zeros((3, 20, 30), dtype=np.int64)
    masks[0, 2:9, 3:12] = masks[0, 14:16, 20:29] = masks[2, 5:6, 5:8] = 1
    return masks, np.clip(random.normal(40 - 20 * masks, 12), 0, BINS - 1).astype(np.int64)


def counted(bins: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    return np.bincount(bins, weights, minlength=BINS).astype(float)[None]


def test_auroc_and_average_precision_are_those_of_the_values(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    masks, bins = drawn
    normal, anomalous = counted(bins[masks == 0]), counted(bins[masks == 1])
    assert histograms.auroc(normal, anomalous) == pytest.approx(of_arrays.auroc(masks, -bins))
    assert histograms.average_precision(normal, anomalous) == pytest.approx(of_arrays.average_precision(masks, -bins))


def test_aupro_is_that_of_the_values(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    masks, bins = drawn
    numbered = [connected_regions(mask, connectivity=2) for mask in masks]
    weights = [1.0 / np.bincount(one.ravel())[one[one > 0]] for one in numbered]
    count = sum(int(one.max()) for one in numbered)
    regions = counted(bins[masks == 1], np.concatenate(weights))
    found = histograms.aupro(counted(bins[masks == 0]), regions, np.array([float(count)]))
    assert found == pytest.approx(of_arrays.aupro(masks, -bins.astype(float)), abs=1e-9)


def test_resamples_are_measured_each_for_itself(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    masks, bins = drawn
    pairs = [(counted(bins[i][masks[i] == 0]), counted(bins[i][masks[i] == 1])) for i in (0, 2)]
    together = histograms.auroc(*(np.concatenate(part) for part in zip(*pairs, strict=True)))
    assert together == pytest.approx([histograms.auroc(*pair)[0] for pair in pairs])


def test_without_a_class_they_are_undefined() -> None:
    some, nothing = np.ones((1, BINS)), np.zeros((1, BINS))
    assert np.isnan(histograms.auroc(some, nothing)[0])
    assert np.isnan(histograms.average_precision(some, nothing)[0])
    assert np.isnan(histograms.aupro(some, nothing, np.zeros(1))[0])
