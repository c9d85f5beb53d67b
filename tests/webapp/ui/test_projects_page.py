"""Projects on the page: the bar's switcher, and making, renaming, archiving in Settings."""

import pytest
from playwright.sync_api import Page, expect

from db.images.rows import count_by_status
from db.projects.projects import find_project
from tests.pictures import png
from tests.webapp.ui.conftest import Site
from workers.projects.changes import make_project


@pytest.fixture
def opened(site: Site, page: Page) -> Page:
    go_to(page, site.url)
    return page


def go_to(page: Page, url: str, place: str = "settings") -> None:
    page.goto(url)
    page.locator(f"#tab-{place}-button").click()


def rows(page: Page):
    return page.get_by_test_id("project-row")


def images_of(site: Site, name: str) -> int:
    with site.installation.store.session(read_only=True) as session:
        project = find_project(session, name)
        assert project is not None
        return sum(count_by_status(session, project.id).values())


def test_a_project_is_made_with_the_keyboard_and_images_go_into_it(opened: Page, site: Site, keep) -> None:
    select = opened.get_by_test_id("project-select")
    expect(select).to_have_value("default")
    select.select_option(label="New project…")
    expect(opened.get_by_test_id("new-project-name")).to_be_focused()
    opened.keyboard.type("Screws & bolts")
    opened.keyboard.press("Tab")
    expect(opened.get_by_test_id("new-project-like").locator("option")).to_have_count(2)
    opened.keyboard.press("ArrowDown")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")

    expect(select).to_have_value("Screws & bolts")
    assert "project=Screws+%26+bolts" in opened.url.replace("%20", "+")
    opened.locator("#tab-inspect-button").click()
    opened.get_by_test_id("file-input").set_input_files([{"name": "1.png", "mimeType": "image/png", "buffer": png(1)}])
    expect(opened.get_by_test_id("filmstrip-item")).to_have_count(1)
    assert (images_of(site, "Screws & bolts"), images_of(site, "default")) == (1, 0)
    opened.locator("#tab-settings-button").click()
    row = rows(opened).filter(has_text="Screws & bolts")
    expect(row).to_contain_text("1 image, 0 corrected, prompts v1")
    expect(row).to_have_attribute("aria-current", "true")
    keep(opened, "projects")

    select.select_option("default")
    expect(rows(opened).filter(has_text="default")).to_have_attribute("aria-current", "true")
    opened.locator("#tab-inspect-button").click()
    expect(opened.get_by_test_id("empty-state")).to_be_visible()
    expect(opened.get_by_test_id("filmstrip-item")).to_have_count(0)


def test_settings_and_samples_belong_to_the_project_that_is_shown(site: Site, page: Page) -> None:
    make_project(site.installation.store, "screws", like=site.installation.project_id)
    go_to(page, f"{site.url}/?project=screws")
    expect(page.get_by_test_id("export-csv")).to_be_visible()  # the fields are filled with it
    page.locator("#retrain-after input").fill("3")
    page.locator("#save-settings").click()
    expect(page.get_by_text("The settings are saved")).to_be_visible()
    page.locator("#tab-train-button").click()
    expect(page.get_by_test_id("train-rule")).to_contain_text("after 3 new corrections")
    page.locator("#tab-inspect-button").click()
    page.get_by_test_id("empty-samples").click()
    expect(page.get_by_test_id("filmstrip-item")).to_have_count(3)
    assert (images_of(site, "screws"), images_of(site, "default")) == (3, 0)
    go_to(page, site.url, "train")
    expect(page.get_by_test_id("train-rule")).to_contain_text("after 10 new corrections")


def test_a_project_is_renamed_and_a_name_that_is_taken_is_told(site: Site, page: Page) -> None:
    for name in ("screws", "nuts"):
        make_project(site.installation.store, name)
    go_to(page, f"{site.url}/?project=screws")
    row = rows(page).filter(has_text="screws")
    row.get_by_test_id("rename-project").click()
    expect(page.get_by_test_id("project-name")).to_be_focused()
    page.keyboard.type("nuts")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("projects-error")).to_contain_text("There is a project 'nuts' already")
    page.get_by_test_id("project-name").fill("bolts")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("project-select")).to_have_value("bolts")
    expect(rows(page)).to_have_count(3)


def test_an_archived_project_leaves_the_lists_and_is_restored(site: Site, page: Page) -> None:
    make_project(site.installation.store, "screws")
    go_to(page, site.url)
    rows(page).filter(has_text="screws").get_by_test_id("archive-project").click()
    expect(page.get_by_test_id("archived-count")).to_have_text("1 archived")
    expect(page.get_by_test_id("project-select").locator("option")).to_have_text(["default", "New project…"])
    page.get_by_test_id("archived").locator("summary").click()
    page.get_by_test_id("restore-project").click()
    expect(page.get_by_test_id("project-list").get_by_test_id("project-row")).to_have_count(2)
    expect(page.get_by_test_id("archived")).to_be_hidden()


def test_a_page_of_a_project_that_is_gone_says_so(site: Site, page: Page) -> None:
    go_to(page, f"{site.url}/?project=gone", "train")
    expect(page.get_by_test_id("project-alert")).to_contain_text("There is no project “gone”")
    expect(page.get_by_test_id("project-select")).to_have_value("gone")
    page.get_by_test_id("project-select").select_option("default")
    page.locator("#tab-train-button").click()
    expect(page.get_by_test_id("waiting")).to_be_visible()
