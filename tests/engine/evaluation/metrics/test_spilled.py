"""Streamed pixel metrics are scikit-learn's, and AUPRO is the one of every threshold, whatever the ranges."""

import numpy as np
import pytest
from skimage.measure import label
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from engine.evaluation.metrics.of_arrays import aupro
from engine.evaluation.metrics.spilled import PixelMetrics


def streamed(masks, maps, folder, at_once=1 << 23):
    with PixelMetrics(folder, values_at_once=at_once) as metrics:
        for mask, one in zip(masks, maps, strict=True):
            metrics.add(mask, one)
        return metrics.metrics()


def drawn(seed, *, levels=None, count=6):
    """Masks of a few rectangles, and maps that are higher there; with `levels`, of few values and many ties."""
    random = np.random.default_rng(seed)
    masks = np.zeros((count, 48, 40), dtype=np.uint8)
    for mask in masks[1:]:
        for _ in range(3):
            row, column = random.integers(0, 36, 2)
            mask[row : row + random.integers(1, 9), column : column + random.integers(1, 9)] = 255
    maps = random.normal(0.4, 0.1, masks.shape) + 0.08 * (masks > 0)
    return masks, (np.round(maps * levels) / levels if levels else maps).astype(np.float32)


def every_threshold(masks, maps, limit=0.3):
    """AUPRO written plainly: the overlap of each region at each value that occurs."""
    regions = [(one, label(mask > 0, connectivity=2)) for mask, one in zip(masks, maps, strict=True)]
    inside = [np.sort(one[numbered == n]) for one, numbered in regions for n in range(1, numbered.max() + 1)]
    normal, values = np.sort(maps[masks == 0]), np.unique(maps)[::-1]
    overlap = np.mean([1 - np.searchsorted(region, values) / region.size for region in inside], axis=0)
    fpr = np.append(0.0, 1 - np.searchsorted(normal, values) / normal.size)
    overlap = np.append(0.0, overlap)
    keep = fpr < limit
    end = np.interp(limit, fpr, overlap)
    return np.trapezoid(np.append(overlap[keep], end), np.append(fpr[keep], limit)) / limit


@pytest.mark.parametrize("levels", [None, 300, 8, 2], ids=lambda n: f"{n}_values")
@pytest.mark.parametrize("at_once", [1 << 23, 2048], ids=["one_range", "several_ranges"])
def test_the_same_as_with_everything_in_memory(tmp_path, levels, at_once):
    masks, maps = drawn(3, levels=levels)
    found = streamed(masks, maps, tmp_path, at_once)
    labels, scores = (masks > 0).ravel(), maps.ravel()
    precision, recall, _ = precision_recall_curve(labels, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-300)
    assert found["pixel_auroc"] == pytest.approx(roc_auc_score(labels, scores), abs=1e-9)
    assert found["pixel_ap"] == pytest.approx(average_precision_score(labels, scores), abs=1e-9)
    assert found["pixel_f1_max"] == pytest.approx(f1.max(), abs=1e-9)
    assert found["pixel_aupro"] == pytest.approx(aupro(masks, maps), abs=1e-9)
    assert found["pixel_aupro"] == pytest.approx(every_threshold(masks, maps), abs=1e-9)


def test_constant_maps_are_guessing(tmp_path):
    masks, _ = drawn(1)
    found = streamed(masks, np.full(masks.shape, 0.25, np.float32), tmp_path, at_once=2048)
    assert found["pixel_auroc"] == pytest.approx(0.5)
    assert found["pixel_ap"] == pytest.approx((masks > 0).mean())
    assert found["pixel_aupro"] == pytest.approx(0.15)  # the diagonal up to 0.3


def test_regions_count_alike_whatever_their_areas(tmp_path):
    mask = np.zeros((20, 20), np.uint8)
    mask[0, 0], mask[5:15, 5:15] = 1, 1
    found = streamed([mask], [mask.astype(np.float32) * (np.arange(400).reshape(20, 20) > 0)], tmp_path)
    # The large region is found, the pixel alone ties with all that is normal: half, and half of the diagonal.
    assert found["pixel_aupro"] == pytest.approx(0.5 + 0.5 * 0.15)


def test_nothing_anomalous_or_nothing_at_all_is_undefined(tmp_path):
    masks, maps = drawn(2)
    assert all(np.isnan(value) for value in streamed(0 * masks, maps, tmp_path).values())
    assert all(np.isnan(value) for value in streamed([], [], tmp_path).values())


def test_nothing_normal_leaves_ap_alone_defined(tmp_path):
    masks, maps = drawn(2)
    found = streamed(masks * 0 + 1, maps, tmp_path)
    assert found["pixel_ap"] == pytest.approx(1) and found["pixel_f1_max"] == pytest.approx(1)
    assert np.isnan(found["pixel_auroc"]) and np.isnan(found["pixel_aupro"])


def test_no_files_are_left(tmp_path):
    streamed(*drawn(1), tmp_path)
    assert list(tmp_path.iterdir()) == []
