"""Corrections seen at once on real photographs: cracks that were painted, and false alarms that were erased.

On the next part the preview outlines the crack within seconds; Retrain then puts it in service, and says so.
"""

import io
import re
import time

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Installation
from tests.e2e.test_the_loop import FOLDER, Loop, Part, parts
from tests.running import RunningApp

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no images at {FOLDER}; set SAMPLE_DATA_DIR")

# Cracked parts and good ones; of each the first are corrected.
CRACKED, GOOD, CORRECTED = 14, 10, 8


def outlined(values: np.ndarray, truth: np.ndarray) -> float:
    """IoU of what a map outlines at the map threshold, with a crack widened by two pixels: a hairline has no width."""
    inside = values >= 0.5
    shifted = [np.roll(truth, (dy, dx), (0, 1)) for dy in range(-2, 3) for dx in range(-2, 3)]
    wide = np.any(shifted, axis=0)
    found = (inside & (truth == 1)).sum()
    return float(found / ((truth == 1) | (inside & ~wide)).sum())


class Inspector(Loop):
    """Who corrects in the browser."""

    def map(self, image_id: int, **which: object) -> np.ndarray:
        """A map at the image's size."""
        answer = self.product.client.get(f"/api/v1/images/{image_id}/map", params={"format": "npy", **which})
        assert answer.status_code == 200, answer.text
        return np.load(io.BytesIO(answer.content))

    def id_of(self, part: Part) -> int:
        return self.images()[part.image.name]["id"]

    def paint(self, part: Part) -> None:
        """Paint the crack with the brush, along the middle of each column or row that it crosses, and save."""
        canvas, truth = self.canvas, part.truth()
        canvas.open(self.id_of(part))
        canvas.key("b")
        canvas.set_brush(7)
        rows, columns = np.nonzero(truth)
        across = np.ptp(columns) >= np.ptp(rows)
        along, other = (columns, rows) if across else (rows, columns)
        places = [int(at) for at in np.linspace(along.min(), along.max(), 12)]
        nearest = [along[np.abs(along - at).argmin()] for at in places]
        points = [(float(at) + 0.5, float(other[along == at].mean()) + 0.5) for at in nearest]
        canvas.stroke(*(points if across else [(y, x) for x, y in points]))
        canvas.save()

    def erase_false_alarm(self, part: Part) -> None:
        """Take over all that the map shows of a good part at a low threshold, rub it out, and save: it is normal."""
        canvas = self.canvas
        canvas.open(self.id_of(part))
        values = self.map(self.id_of(part))
        canvas.set_slider("map-threshold", round(float(np.quantile(values, 0.995)), 3))
        self.page.get_by_test_id("start-from-map").click()
        canvas.expect_dirty(True)
        canvas.key("e")
        canvas.set_brush(400)
        height, width = values.shape
        canvas.stroke(*((width / 2, y) for y in np.linspace(1, height - 1, 6)))
        canvas.expect_area(0)
        canvas.key("s")
        canvas.part("dialog-save").click()  # a mask of nothing is asked about
        expect(canvas.part("message")).to_contain_text("Saved")

    def correct_elsewhere(self, some: list[Part]) -> None:
        """The others, as an annotator would by REST."""
        for part in some:
            self.correct(part.image.name, part)

    def wait_for_preview(self, image_id: int, corrections: int) -> float:
        """Seconds until the image, which someone opened, has a preview that has learnt from so many corrections."""
        began = time.perf_counter()
        while time.perf_counter() - began < 30:
            preview = self.product.client.get(f"/api/v1/images/{image_id}", params={"opened": True}).json()["preview"]
            if preview and preview["corrections"] == corrections:
                return time.perf_counter() - began
            time.sleep(0.1)
        raise AssertionError(f"There is no preview of image {image_id}. {self.product.log[-3000:]}")


def test_a_painted_crack_and_an_erased_false_alarm_are_right_on_the_next_part_and_then_in_service(
    product: RunningApp, installation: Installation, page: Page, keep
) -> None:
    inspector = Inspector(product, installation, page)
    chosen = parts(anomalous=CRACKED, normal=GOOD)
    cracked, good = chosen[:CRACKED], chosen[CRACKED:]
    page.goto(inspector.canvas.url)
    expect(page.get_by_test_id("model-line")).to_have_attribute("data-state", "ready", timeout=60_000)
    page.get_by_test_id("file-input").set_input_files([part.image for part in chosen])
    expect(page.get_by_test_id("filmstrip-item")).to_have_count(len(chosen), timeout=60_000)
    inspector.wait_until_scored(len(chosen), version=1)

    # One crack that was missed is painted, one false alarm is erased; others come from someone else.
    inspector.paint(cracked[0])
    keep("seen-1-painted")
    inspector.erase_false_alarm(good[0])
    inspector.correct_elsewhere([*cracked[1:CORRECTED], *good[1 : CORRECTED // 2]])
    corrections = CORRECTED + CORRECTED // 2

    # The next cracked part that nobody has touched: its preview is there in a moment, and outlines the crack.
    unseen = cracked[CORRECTED:]
    following = inspector.id_of(unseen[0])
    seconds = inspector.wait_for_preview(following, corrections)
    print(f"The preview came {seconds:.1f} s after the last correction.")
    inspector.canvas.show(following)
    expect(inspector.canvas.root).to_have_attribute("data-map", "preview")
    expect(page.get_by_test_id("map-mark")).to_contain_text(f"Preview: what your {corrections} corrections make")
    keep("seen-2-preview")
    page.get_by_test_id("map-service").click()
    expect(page.get_by_test_id("map-mark")).to_be_hidden()
    keep("seen-3-in-service-before")
    page.get_by_test_id("map-preview").click()

    ids = {inspector.id_of(part): part.truth() for part in unseen}
    before = {one: outlined(inspector.map(one), truth) for one, truth in ids.items()}
    for one in ids:
        inspector.wait_for_preview(one, corrections)
    previewed = {one: outlined(inspector.map(one, preview=True), truth) for one, truth in ids.items()}
    print("IoU of the outline, in service and previewed:", before, previewed)
    assert np.mean(list(previewed.values())) > np.mean(list(before.values())) + 0.15
    # What was a false alarm is none on the next good parts.
    for part in good[CORRECTED // 2 : CORRECTED // 2 + 3]:
        image_id = inspector.id_of(part)
        inspector.wait_for_preview(image_id, corrections)
        assert (inspector.map(image_id, preview=True) >= 0.5).mean() < 0.005

    # Retrain judges it, says what became better, and puts it in service.
    inspector.go_to("train")
    expect(page.get_by_test_id("waiting")).to_have_attribute("data-count", str(corrections))
    page.locator("#retrain").click()
    decision = page.get_by_test_id("run-decision")
    expect(decision).to_contain_text(re.compile("Put in service: marks defects better than before"), timeout=300_000)
    expect(page.get_by_test_id("next-step")).to_be_visible()
    expect(page.get_by_test_id("offers")).to_be_hidden()
    keep("seen-4-decided")
    page.get_by_test_id("run-figures").locator("summary").click()
    expect(page.get_by_test_id("offers")).to_be_visible()
    expect(page.get_by_test_id("operating-point")).to_contain_text("At the threshold")
    expect(page.locator("tr[data-version='2']")).to_contain_text("refiner")
    keep("seen-5-figures")

    # In service, the map of the next part is the refined one, and no preview is left.
    inspector.wait_until_scored(len(chosen), version=2)
    served = {one: outlined(inspector.map(one), truth) for one, truth in ids.items()}
    print("IoU of the outline, now in service:", served)
    assert np.mean(list(served.values())) > np.mean(list(before.values())) + 0.15
    inspector.go_to("inspect")
    inspector.canvas.open(following)
    expect(inspector.canvas.root).to_have_attribute("data-map", "service")
    keep("seen-6-in-service-after")
    page.get_by_test_id("map-prompts").click()
    expect(page.get_by_test_id("map-mark")).to_contain_text("Prompts alone")
    keep("seen-7-prompts-alone")
