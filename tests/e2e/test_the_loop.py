"""The product's main job on real images: upload, look, correct, retrain, and see it better."""

import csv
import io
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from engine.backbone.loading import load_backbone
from engine.detector.prompt_files import prompts_to_bytes, shipped_prompts
from engine.images.mask_files import decode_mask
from tests.conftest import Installation
from tests.e2e.conftest import SAMPLE_DATA
from tests.running import RunningApp, wait_until
from tests.webapp.ui.canvas_page import CanvasPage, stroke_mask

FOLDER = SAMPLE_DATA / "kolektor_sdd"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no images at {FOLDER}; set SAMPLE_DATA_DIR")


@dataclass(frozen=True)
class Part:
    """A photographed part and what is wrong with it."""

    image: Path
    mask: Path | None

    def truth(self) -> np.ndarray:
        assert self.mask
        return (np.asarray(Image.open(self.mask)) > 0).astype(np.uint8)


def parts(anomalous: int, normal: int) -> list[Part]:
    with (FOLDER / "index.csv").open() as file:
        rows = list(csv.DictReader(file))
    chosen = [r for r in rows if r["label"] == "1"][:anomalous] + [r for r in rows if r["label"] == "0"][:normal]
    return [Part(FOLDER / row["image"], FOLDER / row["mask"] if row["mask"] else None) for row in chosen]


class Loop:
    """What the inspector and the tests of this file do again and again."""

    def __init__(self, product: RunningApp, installation: Installation, page: Page) -> None:
        self.product, self.page = product, page
        self.canvas = CanvasPage(str(product.client.base_url).rstrip("/"), installation, page)

    def images(self) -> dict[str, dict]:
        """File name → what REST says of the image."""
        answer = self.product.client.get("/api/v1/images", params={"project": "default", "limit": 200})
        return {image["file_name"]: image for image in answer.json()["items"]}

    def wait_until_scored(self, count: int, version: int) -> None:
        def done() -> bool:
            images = self.images().values()
            return len(images) == count and all(image["prompt_version"] == version for image in images)

        wait_until(done, f"{count} images scored by v{version}", seconds=240)

    def grid(self, image_id: int) -> np.ndarray:
        answer = self.product.client.get(f"/api/v1/images/{image_id}/map", params={"format": "npy"})
        return np.load(io.BytesIO(answer.content))

    def correct(self, name: str, part: Part) -> None:
        """What an annotator elsewhere would send by REST: the true mask, or "normal"."""
        address = f"/api/v1/images/{self.images()[name]['id']}/annotation"
        if part.mask:
            answer = self.product.client.put(address, files={"mask": part.mask.read_bytes()})
        else:
            answer = self.product.client.put(address, json={"label": "normal"})
        assert answer.status_code == 201, answer.text

    def go_to(self, place: str) -> None:
        self.page.locator(f"#tab-{place}-button").click()


def test_upload_correct_retrain_and_see_it_better(
    product: RunningApp, installation: Installation, page: Page, keep
) -> None:
    loop = Loop(product, installation, page)
    canvas = loop.canvas
    chosen = parts(anomalous=20, normal=20)

    # A first visit says what to do and what model is in use.
    page.goto(canvas.url)
    expect(page.get_by_test_id("model-line")).to_have_attribute("data-state", "ready", timeout=60_000)
    expect(page.get_by_test_id("empty-state")).to_be_visible()
    keep("1-first-visit")

    # Forty images at once.
    page.get_by_test_id("file-input").set_input_files([part.image for part in chosen])
    expect(page.get_by_test_id("upload-bar")).to_be_visible()
    expect(page.get_by_test_id("upload-summary")).to_have_text("40 added", timeout=60_000)
    expect(page.get_by_test_id("filmstrip-item")).to_have_count(40)
    loop.wait_until_scored(40, version=1)

    # Open one that has a defect; start from the map, at a threshold that shows a tenth of the image.
    part = chosen[0]
    seen = loop.images()[part.image.name]
    width, height = seen["width"], seen["height"]
    page.locator(f"[data-testid=filmstrip-item][data-id='{seen['id']}']").click()
    canvas.expect_open(seen["id"])
    keep("2-open")
    before = loop.grid(seen["id"])
    canvas.set_slider("map-threshold", round(float(np.quantile(before, 0.9)), 3))
    page.get_by_test_id("start-from-map").click()
    canvas.save()
    canvas.expect_dirty(False)
    started = canvas.saved_mask(seen["id"])
    assert 0.02 < started.mean() < 0.3

    # Erase a false region and paint the true one.
    truth = part.truth()
    false = np.argwhere((started == 1) & (truth == 0))
    wrong_y, wrong_x = (float(value) + 0.5 for value in false[len(false) // 2])
    rows, columns = np.nonzero(truth)
    true_line = [(float(columns[i]) + 0.5, float(rows[i]) + 0.5) for i in (0, -1)]
    canvas.key("e")
    canvas.set_brush(15)
    erased = [(wrong_x, wrong_y), (min(wrong_x + 12, width - 1), wrong_y)]
    canvas.stroke(*erased)
    canvas.key("b")
    canvas.set_brush(5)  # odd: it sits on pixel centres, where the line's ends are
    canvas.stroke(*true_line)
    expected = started.copy()
    expected[stroke_mask(erased, 15, width=width, height=height) == 1] = 0
    expected[stroke_mask(true_line, 5, width=width, height=height) == 1] = 1
    assert (expected != started).any()
    keep("3-painted")
    canvas.expect_dirty(True)
    canvas.key("s")
    canvas.expect_dirty(False)

    # What the database holds is what was painted, pixel by pixel, at the image's own size.
    np.testing.assert_array_equal(canvas.saved_mask(seen["id"]), expected)
    served = product.client.get(f"/api/v1/images/{seen['id']}/mask").content
    np.testing.assert_array_equal(decode_mask(served, width=width, height=height), expected)

    # Others are corrected too: two by key, the rest as an annotator elsewhere would.
    for normal in chosen[20:22]:
        canvas.open(loop.images()[normal.image.name]["id"])
        canvas.key("n")
        expect(canvas.part("message")).to_contain_text("normal")
    for other in (*chosen[0:10], *chosen[22:26]):
        loop.correct(other.image.name, other)

    # Prompts that have it the wrong way round are put to use: every map becomes worse.
    import_swapped(loop)
    loop.wait_until_scored(40, version=2)
    swapped = loop.grid(seen["id"])
    assert not np.allclose(before, swapped, atol=1e-3)

    # The open image follows without a reload; then a run learns from the corrections.
    canvas.open(seen["id"])
    loop.go_to("inspect")
    expect(page.get_by_test_id("stage")).to_be_visible()
    expect(page.get_by_test_id("prompt-version")).to_have_text(re.compile("v2"))
    keep("4-swapped")
    loop.go_to("train")
    expect(page.get_by_test_id("waiting")).to_have_attribute("data-count", "16")
    page.locator("#retrain").click()
    expect(page.get_by_test_id("run-stage")).to_contain_text(re.compile("part|pixels|judging"), timeout=240_000)
    keep("5-running")
    page.reload()
    loop.go_to("train")
    expect(page.get_by_test_id("run-panel")).to_be_visible()
    expect(page.get_by_test_id("run-decision")).to_contain_text("Put in service", timeout=300_000)
    expect(page.locator("tr[data-version='3']")).to_have_attribute("data-state", "active")
    keep("6-decided")

    # The version and the map of the image change.
    loop.wait_until_scored(40, version=3)
    canvas.open(seen["id"])
    loop.go_to("inspect")
    expect(page.get_by_test_id("prompt-version")).to_have_text(re.compile("v3"))
    expect(page.get_by_test_id("stage")).to_be_visible()
    assert not np.allclose(swapped, loop.grid(seen["id"]), atol=1e-3)
    keep("7-after")
    loop.go_to("library")
    expect(page.get_by_test_id("library-item")).to_have_count(40)
    keep("8-library")
    loop.go_to("settings")
    expect(page.get_by_test_id("schedule-rule")).to_be_visible()
    keep("9-settings")


def import_swapped(loop: Loop) -> None:
    """Import a file in which the learnt vectors of normal and anomalous are swapped, in Train, and activate it."""
    shipped = shipped_prompts(load_backbone(loop.product.backbone, "cpu"))
    swapped = replace(shipped, normal_context=shipped.anomalous_context, anomalous_context=shipped.normal_context)
    data = prompts_to_bytes(swapped)
    loop.go_to("train")
    with loop.page.expect_file_chooser() as chooser:
        loop.page.locator("#import-prompts").click()
    chooser.value.set_files({"name": "swapped.safetensors", "mimeType": "application/octet-stream", "buffer": data})
    loop.page.get_by_test_id("activate-v2").click()
    expect(loop.page.locator("tr[data-version='2']")).to_have_attribute("data-state", "active")


def test_the_open_image_shows_its_new_map_after_a_version_is_activated(
    product: RunningApp, installation: Installation, page: Page
) -> None:
    loop = Loop(product, installation, page)
    page.goto(loop.canvas.url)
    page.get_by_test_id("empty-samples").click()
    expect(page.get_by_test_id("filmstrip-item")).to_have_count(3)
    loop.wait_until_scored(3, version=1)
    expect(page.get_by_test_id("prompt-version")).to_have_text(re.compile("v1"))
    shown = page.get_by_test_id("stage").screenshot()

    import_swapped(loop)
    loop.go_to("inspect")

    expect(page.get_by_test_id("prompt-version")).to_have_text(re.compile("v2"))
    wait_until(lambda: page.get_by_test_id("stage").screenshot() != shown, "another map on the canvas")
