"""Who is told, in Settings: added, tried, switched off and deleted by an admin."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from settings import get_settings
from tests.webapp.ui.conftest import Site
from tests.workers.webhooks.listening import Receiver


@pytest.fixture
def receiver(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(get_settings(), "webhook_private", True)
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


def test_an_address_is_added_tried_switched_off_and_deleted(
    site: Site, page: Page, receiver: Receiver, keep: Callable[[Page, str], None]
) -> None:
    page.goto(site.url)
    page.locator("#tab-settings-button").click()
    form = page.get_by_test_id("new-webhook")
    form.scroll_into_view_if_needed()
    page.get_by_test_id("new-webhook-url").fill("ftp://nowhere")
    page.get_by_test_id("new-webhook-make").click()
    expect(page.get_by_test_id("webhooks-error")).to_contain_text("ftp://nowhere")

    page.get_by_test_id("new-webhook-url").fill(receiver.url)
    form.get_by_label("runs that have ended").uncheck()
    page.get_by_test_id("new-webhook-station").fill("north")
    page.get_by_test_id("new-webhook-make").click()
    expect(page.get_by_test_id("webhook-secret-value")).not_to_be_empty()
    row = page.locator(f"[data-testid=webhook-row][data-url='{receiver.url}']")
    expect(row).to_contain_text("images that are anomalous · all projects · north")

    row.get_by_test_id("webhook-test").click()
    expect(row.get_by_test_id("webhook-answer")).to_contain_text("It took the message")
    expect(row.get_by_label("What was sent")).to_contain_text("X-AnomalyLoop-Signature")
    expect(form.get_by_label("runs that have ended")).to_be_checked()  # as it was at first
    within = page.locator("#settings-backbone").evaluate("column => column.scrollWidth <= column.clientWidth")
    keep(page, "webhooks")
    assert within, "nothing is wider than its column"
    assert [told["event"] for told in receiver.told] == ["test"]
    receiver.status = 500
    row.get_by_test_id("webhook-test").click()
    expect(row.get_by_test_id("webhook-answer")).to_have_text("It answered with status 500.")

    row.get_by_test_id("webhook-enable").click()
    expect(row.get_by_test_id("webhook-state")).to_have_text("switched off")
    row.get_by_test_id("webhook-delete").click()
    expect(row).to_have_count(0)
