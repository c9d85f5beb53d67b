"""Train and Settings on a telephone: 360 px wide, nothing cut off, nothing to scroll sideways."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.webapp.ui.conftest import Site, open_page
from tests.webapp.ui.filled import PLACES, fill
from tests.webapp.ui.test_places import live_run

WIDTH = 360
# What reaches over the right or left edge, and does not lie in a part that scrolls by itself.
_CUT_OFF = """
() => {
  const scrollsItself = (part) => ["auto", "scroll"].includes(getComputedStyle(part).overflowX);
  const scrolls = (part) => part && (scrollsItself(part) || scrolls(part.parentElement));
  return [...document.querySelectorAll("main *, #header *")]
    .filter((part) => part.checkVisibility({ visibilityProperty: true }))
    .filter((part) => {
      const { left, right, width, height } = part.getBoundingClientRect();
      return width > 1 && height > 1 && (right > innerWidth + 1 || left < -1) && !scrolls(part.parentElement);
    })
    .map((part) => `${part.tagName} ${part.id || part.className} ${part.textContent.trim().slice(0, 40)}`);
}
"""


@pytest.fixture(params=["en", "ko"])
def narrow(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    yield from open_page(browser, WIDTH, 740, locale=request.param)


@pytest.fixture(scope="module")
def filled_site(shared_site: Site, browser: Browser) -> Site:
    """A site with a correction, a finished run and two versions."""
    canvas = fill(shared_site, browser)
    losses = [{"fold": -1, "epoch": epoch, "total": 2 / epoch} for epoch in (1, 2, 3)]
    figures = {"pixel_auroc": 0.8, "image_auroc": 0.9}
    live_run(
        shared_site,
        state="succeeded",
        decision="Refused, the active prompts stay: not better on held-out corrections (…; 4-fold).",
        losses=losses,
        metrics={
            "method": "4-fold",
            "active": figures,
            "candidate": figures,
            "difference": {"pixel_auroc": 0.01, "image_auroc": None},
            "interval": {"pixel_auroc": [-0.01, 0.11], "image_auroc": None},
        },
    )
    canvas.page.close()
    return shared_site


@pytest.mark.parametrize("place", PLACES)
def test_a_place_fits_a_telephone(
    filled_site: Site, narrow: Page, place: str, keep: Callable[[Page, str], None]
) -> None:
    narrow.goto(filled_site.url)
    tab = narrow.locator(f"#tab-{place}-button")
    expect(tab).to_be_visible()
    tab.click()
    expect(narrow.get_by_test_id(PLACES[place]).first).to_be_visible()
    keep(narrow, f"narrow-{place}-{narrow.evaluate('document.documentElement.lang')}")

    assert narrow.evaluate("document.documentElement.scrollWidth") <= WIDTH
    assert narrow.evaluate(_CUT_OFF) == []
