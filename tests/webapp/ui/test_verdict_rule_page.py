"""The verdict rule in Settings: tried on all images, seen, saved with one click, read anew."""

from playwright.sync_api import Page, expect

from db.projects.projects import get_project, update_settings
from tests.pictures import png
from tests.webapp.ui.conftest import Site
from workers.images.intake import add_upload
from workers.scoring.scorer import score_images

LARGE = str(90 * 70 + 1)


def go_to_settings(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.locator("#tab-settings-button").click()
    expect(page.get_by_test_id("rule-unit")).to_be_visible()


def fill(page: Page, name: str, value: str) -> None:
    page.locator(f"#rule-{name} input").fill(value)
    page.locator(f"#rule-{name} input").blur()


def add_scored(site: Site, count: int) -> list[int]:
    installation = site.installation
    ids = [add_upload(installation.store, 1, f"{one}.png", png(one)).image_id for one in range(count)]
    score_images(installation.store, ids)
    with installation.store.session() as session:
        update_settings(session, 1, {"threshold": 0.0})  # by score all are anomalous
    return ids


def settings(site: Site) -> dict:
    with site.installation.store.session(read_only=True) as session:
        return get_project(session, 1).settings


def test_a_rule_is_tried_on_all_images_and_saved_with_one_click(site: Site, page: Page, keep) -> None:
    ids = add_scored(site, 3)
    go_to_settings(page, site)
    page.get_by_label("by the regions of its map").check()
    fill(page, "area", LARGE)
    page.locator("#try-verdict-rule").click()
    trial = page.get_by_test_id("rule-trial")
    expect(trial).to_contain_text("Of 3 images, 0 would be called anomalous that are not now, and 3 normal")
    expect(trial.locator("[data-open-image]")).to_have_count(3)
    keep(page, "verdict_rule")
    assert "verdict_rule" not in settings(site)
    page.locator("#save-verdict-rule").click()
    expect(page.get_by_text("Verdicts go by this rule from now on.")).to_be_visible()
    rule = {"kind": "regions", "area": int(LARGE), "more_than": 0, "single": None, "unit": "px2"}
    assert settings(site)["verdict_rule"] == rule
    trial.locator(f"[data-open-image='{ids[0]}']").click()
    expect(page.get_by_test_id("verdict")).to_have_text("Normal")  # brought along meanwhile
    go_to_settings(page, site)
    expect(page.locator("#rule-area input")).to_have_value(LARGE)
    expect(page.get_by_label("by the regions of its map")).to_be_checked()


def test_what_is_no_rule_is_refused_in_words(site: Site, page: Page) -> None:
    go_to_settings(page, site)
    page.get_by_label("by the regions of its map").check()
    page.locator("#save-verdict-rule").click()
    expect(page.get_by_text("The area in verdict_rule's area is a number from 0 on").first).to_be_visible()
    assert "verdict_rule" not in settings(site)
