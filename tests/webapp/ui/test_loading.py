"""The page while its modules come, and when they don't."""

import threading

from playwright.sync_api import Page, Route, expect

from tests.webapp.ui.conftest import Site

PICTURE = {"name": "no.png", "mimeType": "image/png", "buffer": b"no image at all"}


def test_files_that_are_picked_before_the_modules_are_there_are_sent_all_the_same(site: Site, page: Page) -> None:
    come = threading.Event()
    waiting: list[Route] = []
    page.route(
        "**/ui/*/uploader/uploader.js", lambda route: route.continue_() if come.is_set() else waiting.append(route)
    )
    page.goto(site.url, wait_until="commit")
    page.get_by_test_id("file-input").set_input_files(PICTURE)
    expect(page.locator("#uploader[inert], #uploader [inert]").first).to_be_attached()
    come.set()
    for route in waiting:
        route.continue_()
    expect(page.get_by_test_id("upload-item")).to_contain_text("no.png")
    page.get_by_test_id("pick-folder").click(trial=True)  # it takes clicks now


def test_modules_that_can_not_be_had_are_told_of(site: Site, page: Page) -> None:
    page.route("**/ui/*/shared/component.js", lambda route: route.fulfill(status=404))
    page.goto(site.url)
    expect(page.locator("#uploader")).to_contain_text("This part of the page could not be loaded")
