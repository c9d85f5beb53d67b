"""The golden set as a person meets it: picked in Library, and named by a run that it kept out of service."""

from playwright.sync_api import Locator, Page, expect

from tests.webapp.ui.conftest import Site
from tests.workers.making import add, change_run, correct
from workers.training.runs import cancel_run, start_run


def card(page: Page, image_id: int) -> Locator:
    return page.locator("#library-grid li").filter(has=page.locator(f"[data-id='{image_id}']"))


def test_images_are_added_to_the_golden_set_and_taken_out(site: Site, page: Page, keep) -> None:
    corrected = correct(site.installation, 1)[0].image_id
    untouched = add(site.installation, seed=9)
    page.goto(site.url)
    page.locator("#tab-library-button").click()
    for image_id in (corrected, untouched):
        card(page, image_id).get_by_test_id("library-tick").click()
    expect(page.get_by_test_id("batch-ungolden")).to_be_hidden()
    page.get_by_test_id("batch-golden").click()
    expect(page.get_by_test_id("batch-message")).to_contain_text("1 added to the golden set, 1 not")
    expect(card(page, untouched)).to_contain_text("Nobody has corrected image")
    expect(card(page, corrected).get_by_test_id("golden")).to_have_text("★")
    keep(page, "library-golden")
    page.get_by_test_id("toggle-filters").click()
    page.get_by_test_id("filter-golden").select_option("true")
    expect(page.get_by_test_id("library-count")).to_have_text("1 image")
    card(page, corrected).get_by_test_id("library-tick").click()
    expect(page.get_by_test_id("batch-golden")).to_be_hidden()
    page.get_by_test_id("batch-ungolden").click()
    expect(page.get_by_test_id("library-empty")).to_be_visible()


def test_train_names_the_golden_image_that_a_candidate_judged_wrong(site: Site, page: Page) -> None:
    image_id = correct(site.installation, 1)[0].image_id
    run_id = start_run(site.installation.store, site.installation.project_id, trigger="manual", epochs=1)
    cancel_run(site.installation.store, run_id)
    worse = {"image_id": image_id, "file_name": "<0>.png", "label": "anomalous", "score": 0.1}
    change_run(site.installation, run_id, state="succeeded", metrics={"golden": {"images": 3, "worse": [worse]}})
    page.goto(site.url)
    page.locator("#tab-train-button").click()
    named = page.get_by_test_id("golden-worse")
    expect(named).to_have_text("<0>.png")
    named.click()
    expect(page.get_by_test_id("mask-canvas")).to_have_attribute("data-image-id", str(image_id))
