"""Tables and the page: undefined is –, the paper's figures stand beside, texts of data sets are escaped."""

import json

import numpy as np
import pytest
from PIL import Image

from engine.evaluation.datasets.catalogue import CATALOGUE
from engine.evaluation.reporting.page import to_html
from engine.evaluation.reporting.panels import WorstPanels
from engine.evaluation.reporting.paper import paper_figures
from engine.evaluation.reporting.parts import Parts
from engine.evaluation.reporting.results import METRICS, ClassResult, mean_metrics
from engine.evaluation.reporting.tables import Outcome, to_json, to_markdown

FACTS = {"backbone": "tiny", "image_size": 64}


def result(name, **metrics):
    row = {"image": f"{name}/<b>.png", "label": 1, "defect": "<i>", "score": 0.25, "error": 0.75}
    every = dict.fromkeys(METRICS) | metrics
    return ClassResult(name, every, [row], [f"{name}/<b>.png: damaged"], [{**row, "picture": "AAAA"}])


OUTCOME = Outcome(
    "kvasir", "my <set>", "anomalyclip", [result("a", pixel_auroc=0.5), result("b", pixel_auroc=0.75)], []
)


def test_the_mean_is_over_the_classes_that_have_the_metric():
    means = mean_metrics([result("a", pixel_ap=0.2), result("b"), result("c", pixel_ap=0.4)])
    assert means["pixel_ap"] == pytest.approx(0.3)
    assert means["image_auroc"] is None


def test_markdown_shows_dashes_and_the_papers_figures():
    text = to_markdown([OUTCOME], FACTS)
    assert "| anomalyclip | – | – | – | 62.5 | – | – | – |" in text
    assert "| anomalyclip, the paper with ViT-L/14@336px | – | – | – | 78.9 | – | – | 45.6 |" in text
    assert "2 problems" in text


def test_json_is_plain_and_has_no_pictures():
    text = json.dumps(to_json([OUTCOME], FACTS), allow_nan=False)
    assert "AAAA" not in text and "NaN" not in text


def test_the_page_escapes_what_data_sets_are_called():
    page = to_html([OUTCOME], FACTS)
    assert "<b>" not in page and "<i>" not in page and "&lt;b&gt;.png" in page
    assert page.count("<figure>") == 2


@pytest.mark.parametrize(
    ("data_set", "method", "expected"),
    [
        ("mvtec", "anomalyclip", {"image_auroc": 0.915, "image_ap": 0.962, "pixel_auroc": 0.911, "pixel_aupro": 0.814}),
        ("kvasir", "winclip", {"pixel_auroc": 0.697, "pixel_aupro": 0.245}),
        ("headct", "april_gan", {"image_auroc": 0.891, "image_ap": 0.894}),
        ("dtd_synthetic", "coop", {}),
        ("mvtec", "modules: base: CLIP", {}),
        ("folder", "anomalyclip", {}),
    ],
)
def test_the_papers_figures(data_set, method, expected):
    assert paper_figures(data_set, method) == expected


def test_the_paper_has_figures_for_each_of_its_sets():
    named = [name for name, one in CATALOGUE.items() if one.class_count]
    assert all(paper_figures(name, "anomalyclip") for name in named)


def test_only_the_worst_pictures_are_kept_the_worst_first():
    panels, picture = WorstPanels(kept=3), Image.new("RGB", (20, 10), "red")
    for number, error in enumerate((0.1, 0.9, 0.5, 0.9, 0.2)):
        panels.add(error, {"image": str(number)}, picture, np.eye(16, dtype=np.float32), np.eye(16, dtype=np.uint8))
    assert [one["image"] for one in panels.to_json()] == ["1", "3", "2"]


def test_a_damaged_part_counts_as_none(tmp_path):
    parts = Parts(tmp_path)
    parts.put("key", OUTCOME.classes[0])
    assert parts.get("key") == OUTCOME.classes[0]
    assert parts.get("other") is None
    parts.path("key").write_text('{"class_name": "a"')
    assert parts.get("key") is None
