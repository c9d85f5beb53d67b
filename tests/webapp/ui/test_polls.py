"""What the page asks for every few seconds: an answer that it has isn't sent again, and what changes is seen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.running import wait_until
from tests.webapp.ui.canvas_page import CanvasPage
from workers.images.correcting import mark_normal


@pytest.fixture
def unchanged(page: Page) -> Callable[[str], int]:
    """Call with a part of an address: how often the server said that nothing has changed there."""
    devtools = page.context.new_cdp_session(page)
    addresses: dict[str, str] = {}
    told: list[str] = []
    devtools.on("Network.requestWillBeSent", lambda sent: addresses.update({sent["requestId"]: sent["request"]["url"]}))
    devtools.on(
        "Network.responseReceivedExtraInfo",
        lambda came: came["statusCode"] == 304 and told.append(addresses.get(came["requestId"], "")),
    )
    devtools.send("Network.enable")
    return lambda part: sum(part in address for address in told)


def test_the_filmstrip_is_told_that_nothing_changed_and_still_shows_what_does(
    canvas: CanvasPage, page: Page, unchanged: Callable[[str], int]
) -> None:
    first = canvas.add(seed=1)
    canvas.open(first)

    def told(part: str) -> bool:
        page.wait_for_timeout(200)  # events of the browser are heard while its page is waited for
        return unchanged(part) > 0

    wait_until(lambda: told("/images?"), "a list that hasn't changed", seconds=30)
    wait_until(lambda: told(f"/images/{first}?"), "an image that hasn't changed", seconds=30)

    canvas.add(seed=2)
    expect(canvas.part("filmstrip-item")).to_have_count(2)
    mark_normal(canvas.installation.store, first)
    expect(page.locator(f"[data-testid=filmstrip-item][data-id='{first}']")).to_contain_text("✓")
    expect(canvas.part("status")).to_have_text("Corrected")
