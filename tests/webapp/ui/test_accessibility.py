"""axe-core finds nothing serious in any place of the page, in light and in dark."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.webapp.ui.conftest import Site, open_page
from tests.webapp.ui.filled import PLACES, fill

GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def filled_site(shared_site: Site, browser: Browser) -> Site:
    """A site with images, a correction and two versions, so that every place has something to show."""
    canvas = fill(shared_site, browser)
    canvas.add(seed=2)
    canvas.page.close()
    return shared_site


@pytest.fixture(params=["light", "dark"])
def schemed(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    yield from open_page(browser, 1280, 800, color_scheme=request.param)


@pytest.mark.parametrize("place", PLACES)
def test_a_place_has_no_grave_findings(filled_site: Site, schemed: Page, place: str) -> None:
    schemed.goto(filled_site.url)
    schemed.locator(f"#tab-{place}-button").click()
    expect(schemed.get_by_test_id(PLACES[place]).first).to_be_visible()
    assert grave_findings(schemed) == []


def test_what_opens_over_the_page_has_no_grave_findings(filled_site: Site, schemed: Page) -> None:
    schemed.goto(filled_site.url)
    expect(schemed.get_by_test_id("filmstrip-item").first).to_be_visible()
    schemed.get_by_test_id("help").click()
    assert grave_findings(schemed) == []
    schemed.keyboard.press("Escape")

    schemed.locator("#tab-library-button").click()
    schemed.get_by_test_id("toggle-filters").click()
    schemed.get_by_test_id("toggle-threshold").click()
    schemed.get_by_test_id("library-tick").first.click()
    expect(schemed.get_by_test_id("rests-on")).to_have_text(re.compile("Not calibrated"))
    assert grave_findings(schemed) == []


def grave_findings(page: Page) -> list[str]:
    """Rule, its words, and what breaks it."""
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {one['help']}: {'; '.join(node['html'][:160] for node in one['nodes'][:8])}"
        for one in found
        if one["impact"] in GRAVE
    ]
