"""The threshold in the browser: its line is dragged or moved by keys, says what it would do, and is put to use."""

import pytest
from playwright.sync_api import Locator, Page, expect

from db.projects.projects import get_project
from tests.pictures import mask_png, png
from tests.webapp.ui.conftest import Site
from tests.workers.making import score_all
from workers.images.correcting import mark_normal, save_mask
from workers.images.intake import add_upload


@pytest.fixture
def panel(site: Site, page: Page) -> Page:
    """The open panel over 24 images: 10 labelled normal, 10 anomalous, 4 not; higher scores are the anomalous ones."""
    store, project_id = site.installation.store, site.installation.project_id
    ids = [add_upload(store, project_id, f"{seed}.png", png(seed)).image_id for seed in range(24)]
    score_all(store, project_id)
    page.goto(site.url)
    images = page.request.get(f"{site.url}/api/v1/images?limit=100&order=score").json()["items"]
    assert {image["id"] for image in images} == set(ids)
    for image in images[:10]:
        save_mask(store, image["id"], mask_png())
    for image in images[14:]:
        mark_normal(store, image["id"])
    page.locator("#tab-library-button").click()
    page.get_by_test_id("toggle-threshold").click()
    expect(page.get_by_test_id("rests-on")).to_contain_text("Calibrated on 10 normal images and 10 anomalous images")
    return page


def value(line: Locator) -> float:
    return float(line.input_value())


def settings(site: Site) -> dict[str, float]:
    with site.installation.store.session(read_only=True) as session:
        return get_project(session, site.installation.project_id).settings


def test_the_line_is_dragged_told_in_words_and_put_to_use(panel: Page, site: Site) -> None:
    part = panel.get_by_test_id
    line = part("threshold-line")
    part("use-best-f1").click()
    best = value(line)
    expect(part("line-f1")).to_have_text("1.000")
    expect(part("line-recall")).to_have_text("100.0 %, 10 of 10")
    expect(part("line-false-alarms")).to_have_text("0.0 %, 0 of 10")

    box = line.bounding_box()
    assert box is not None
    low, high = (float(line.get_attribute(end) or "nan") for end in ("min", "max"))
    at = box["x"] + 7 + (best - low) / (high - low) * (box["width"] - 14)
    panel.mouse.move(at, box["y"] + 40)
    panel.mouse.down()
    panel.mouse.move(box["x"] + 7, box["y"] + 40, steps=4)
    panel.mouse.up()
    assert value(line) == pytest.approx(low, abs=0.01)
    expect(part("line-false-alarms")).to_have_text("100.0 %, 10 of 10")

    line.press("ArrowRight")
    assert value(line) == pytest.approx(low + 0.001, abs=0.0015)
    expect(line).to_have_attribute("aria-valuetext", f"{value(line):.3f}: finds 100.0 %, false alarms 100.0 %")
    part("use-best-f1").click()
    part("save-threshold").click()
    expect(part("threshold-message")).to_have_text(f"In use from now on: {best:.3f}.")
    assert settings(site)["threshold"] == pytest.approx(best)
    expect(part("save-threshold")).to_be_disabled()


def test_a_false_alarm_rate_is_chosen_and_the_line_goes_back(panel: Page) -> None:
    part = panel.get_by_test_id
    before = part("line-value").text_content() or ""
    part("false-alarm-rate").fill("20")
    part("use-false-alarms").click()
    expect(part("line-false-alarms")).to_have_text("20.0 %, 2 of 10")
    part("threshold-line").press("ArrowRight")
    part("line-reset").click()
    expect(part("line-value")).to_have_text(before)


def test_the_map_threshold_has_its_own_line(panel: Page, site: Site) -> None:
    part = panel.get_by_test_id
    part("level-pixel").click()
    expect(part("threshold-level-words")).to_contain_text("map value")
    expect(part("line-probability-row")).to_be_hidden()
    part("use-best-f1").click()
    expect(part("save-threshold")).to_be_enabled()
    part("save-threshold").click()
    expect(part("threshold-message")).to_contain_text("In use from now on")
    assert settings(site)["map_threshold"] == pytest.approx(value(part("threshold-line")))


def test_inspect_says_how_likely_the_image_is_to_be_anomalous(panel: Page) -> None:
    panel.get_by_test_id("library-item").first.click()
    expect(panel.get_by_test_id("probability")).to_contain_text("likely to be anomalous, calibrated on 20 images")
