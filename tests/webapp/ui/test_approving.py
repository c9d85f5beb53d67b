"""A version that waits for a second person, as that person meets it in Train; and the setting that has it wait."""

from playwright.sync_api import Page, expect

from db.projects.projects import get_project, update_settings
from db.training.approvals import await_approval
from db.training.prompt_versions import get_version
from tests.running import wait_until
from tests.webapp.ui.conftest import Site
from tests.workers.making import copy_of_active


def waiting(site: Site, author: str) -> int:
    """A version of a run of this author's that waits."""
    installation = site.installation
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"second_person": True})
        version = copy_of_active(session, installation.project_id, author=author)
        await_approval(session, version)
        return version.id


def state(site: Site, version_id: int) -> str:
    with site.installation.store.session(read_only=True) as session:
        return get_version(session, version_id).state


def test_versions_that_wait_are_declined_with_a_reason_or_put_in_service(site: Site, page: Page, keep) -> None:
    declined, own, approved = (waiting(site, author) for author in ("ada", "local", "schedule"))
    page.goto(site.url)
    page.locator("#tab-train-button").click()
    expect(page.locator("tr[data-version='2']")).to_contain_text("Awaiting approval")
    page.get_by_test_id("decline-v2").click()
    page.get_by_test_id("decline-reason").fill("The camera moved.")
    keep(page, "train-declining")
    page.get_by_test_id("decline-confirm").click()
    expect(page.locator("tr[data-version='2']")).to_have_attribute("data-state", "rejected")
    page.get_by_test_id("approve-v3").click()
    page.get_by_test_id("approve-confirm").click()
    expect(page.get_by_test_id("approve-error")).to_contain_text("another user than local")
    page.keyboard.press("Escape")
    page.get_by_test_id("approve-v4").click()
    page.get_by_test_id("approve-confirm").click()
    expect(page.locator("tr[data-version='4']")).to_have_attribute("data-state", "active")
    assert [state(site, one) for one in (declined, own, approved)] == ["rejected", "awaiting", "active"]


def test_the_setting_is_kept_as_soon_as_it_is_changed(site: Site, page: Page) -> None:
    store, project_id = site.installation.store, site.installation.project_id
    with store.session() as session:
        update_settings(session, project_id, {"second_person": True})
    page.goto(site.url)
    page.locator("#tab-settings-button").click()

    def wanted() -> bool:
        with store.session(read_only=True) as session:
            return get_project(session, project_id).settings["second_person"]

    box = page.locator("#second-person input")
    expect(box).to_be_checked()  # it was read
    box.uncheck()
    wait_until(lambda: not wanted(), "the setting is off")
    box.check()
    wait_until(wanted, "the setting is on")
