"""The canvas's toolbar: one row where the window is as wide as most are, with the tools' names where it is wider."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.webapp.ui.canvas_page import CanvasPage
from tests.webapp.ui.conftest import Site, open_page

# Where the middle of each group lies, from the top.
_MIDDLES = """
bar => [...bar.children].map((group) => {
  const { top, bottom } = group.getBoundingClientRect();
  return (top + bottom) / 2;
})
"""


@pytest.mark.parametrize("locale", ["en", "ko"])
@pytest.mark.parametrize(("width", "named"), [(1440, False), (1760, True)])
def test_the_toolbar_is_one_row(
    shared_site: Site, browser: Browser, width: int, named: bool, locale: str, keep: Callable[[Page, str], None]
) -> None:
    for page in open_page(browser, width, 900, locale=locale):
        canvas = CanvasPage(shared_site.url, shared_site.installation, page)
        canvas.open_new()
        keep(page, f"toolbar-{width}-{locale}")
        middles = canvas.part("toolbar").evaluate(_MIDDLES)
        assert max(middles) - min(middles) <= 2, middles
        assert canvas.part("tool-brush").locator("span").is_visible() == named
