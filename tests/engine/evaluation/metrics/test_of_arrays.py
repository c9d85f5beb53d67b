"""Metrics equal scikit-learn's and the reference's AUPRO, edge cases included."""

import numpy as np
import pytest

from engine.evaluation.metrics.of_arrays import aupro, auroc, average_precision, pro_curve
from tests.engine.golden import load, requires_golden

pytestmark = requires_golden


def test_golden_metrics():
    golden = load("metrics")
    masks, maps, labels, scores = (golden[name] for name in ("masks", "maps", "labels", "scores"))
    assert auroc(labels, scores) == pytest.approx(float(golden["image_auroc"]), abs=1e-9)
    assert average_precision(labels, scores) == pytest.approx(float(golden["image_ap"]), abs=1e-9)
    assert auroc(masks, maps) == pytest.approx(float(golden["pixel_auroc"]), abs=1e-9)
    found = aupro(masks, maps, fpr_limit=float(golden["fpr_limit"]), thresholds=int(golden["max_step"]))
    assert found == pytest.approx(float(golden["pixel_aupro"]), abs=1e-5)


def test_golden_pixel_ap_and_pro_curve():
    golden, edge = load("metrics"), load("metrics_edge")
    ap = average_precision(golden["masks"], golden["maps"])
    assert ap == pytest.approx(float(edge["golden_metrics:pixel_ap"]), abs=1e-9)
    curve = pro_curve(golden["masks"], golden["maps"])
    order = np.argsort(edge["golden_metrics:curve_fpr"], kind="stable")
    np.testing.assert_allclose(np.sort(curve.fpr), edge["golden_metrics:curve_fpr"][order], atol=1e-5)
    np.testing.assert_allclose(np.sort(curve.overlap), np.sort(edge["golden_metrics:curve_pro"]), atol=1e-5)


CASES = [str(case) for case in load("metrics_edge")["cases"]] if requires_golden.args[0] is False else []


@pytest.mark.parametrize("case", CASES)
def test_golden_metrics_at_the_edges(case):
    golden = load("metrics_edge")
    masks, maps, labels, scores = (golden[f"{case}:{name}"] for name in ("masks", "maps", "labels", "scores"))
    found = {
        "image_auroc": auroc(labels, scores),
        "image_ap": average_precision(labels, scores),
        "pixel_auroc": auroc(masks, maps),
        "pixel_ap": average_precision(masks, maps),
    }
    for name, value in found.items():
        assert value == pytest.approx(float(golden[f"{case}:{name}"]), abs=1e-9, nan_ok=True), name
    # Where the reference raises or divides by nothing, the file holds NaN, and so do we return it.
    expected = float(golden[f"{case}:pixel_aupro"])
    assert aupro(masks, maps, thresholds=200) == pytest.approx(expected, abs=1e-5, nan_ok=True)
