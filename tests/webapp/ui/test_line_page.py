"""What the line needs of a project, in Settings: set, refused, read anew, in both languages."""

import pytest
from playwright.sync_api import Page, expect

from db.projects.projects import get_project
from tests.webapp.ui.conftest import Site

FIELDS = ("keep_every", "px_per_mm", "name_pattern")


def go_to_settings(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.locator("#tab-settings-button").click()
    expect(page.locator("#line-keep input")).to_have_value("All")


def field(page: Page, name: str):
    return page.locator(f"#line-{name.replace('_', '-')} :is(input, textarea)")


def settings(site: Site) -> dict:
    with site.installation.store.session(read_only=True) as session:
        return get_project(session, 1).settings


def choose(page: Page, rule: str) -> None:
    page.locator("#line-keep input").click()
    page.get_by_role("option", name=rule, exact=True).click()


def test_rule_scale_and_file_names_are_set_and_read_anew(site: Site, page: Page, keep) -> None:
    go_to_settings(page, site)
    choose(page, "One in so many")
    for name, value in zip(FIELDS, ("20", "12.5", "{station}_{part}_*"), strict=True):
        field(page, name).fill(value)
        field(page, name).blur()
    page.locator("#save-line").click()
    expect(page.get_by_text("It holds for images that come from now on.")).to_be_visible()
    keep(page, "line_settings")
    stored = settings(site)
    assert {name: stored[name] for name in ("keep", *FIELDS)} == {
        "keep": "sample",
        "keep_every": 20,
        "px_per_mm": 12.5,
        "name_pattern": "{station}_{part}_*",
    }
    page.goto(site.url)
    page.locator("#tab-settings-button").click()
    expect(page.locator("#line-keep input")).to_have_value("One in so many")
    expect(field(page, "keep_every")).to_have_value("20")
    expect(field(page, "px_per_mm")).to_have_value("12.5")
    expect(field(page, "name_pattern")).to_have_value("{station}_{part}_*")
    field(page, "px_per_mm").fill("")
    field(page, "px_per_mm").blur()
    page.locator("#save-line").click()
    expect(page.get_by_text("It holds for images that come from now on.")).to_be_visible()
    assert settings(site)["px_per_mm"] is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("keep_every", "0", "a whole number from 1"),
        ("px_per_mm", "-3", "a number above 0"),
        ("name_pattern", "{colour}_*", "A pattern of file names"),
    ],
)
def test_what_a_project_cannot_have_is_refused_in_words_and_stays_to_be_mended(
    name: str, value: str, said: str, site: Site, page: Page
) -> None:
    before = settings(site)
    go_to_settings(page, site)
    field(page, name).fill(value)
    field(page, name).blur()
    page.locator("#save-line").click()
    expect(page.get_by_text(said).first).to_be_visible()
    expect(field(page, name)).to_have_value(value)
    assert settings(site) == before


def test_the_rules_are_in_the_language_of_whoever_looks(site: Site, korean: Page) -> None:
    korean.goto(site.url)
    korean.locator("#tab-settings-button").click()
    expect(korean.locator("#line-keep input")).to_have_value("모두")
