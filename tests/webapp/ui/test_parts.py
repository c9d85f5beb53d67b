"""What is known of a part, in the browser: on the library's card, found by the search field, and beside the canvas."""

from playwright.sync_api import Page, expect

from db.images.part_facts import PartFacts
from tests.pictures import png
from tests.webapp.ui.conftest import Site
from tests.webapp.ui.test_library import Library
from workers.images.intake import add_upload


def test_a_part_is_shown_and_found(site: Site, page: Page) -> None:
    library = Library(site, page)
    facts = PartFacts("A-17", "L7", "<b>north</b>", None, ("wet",))
    known = add_upload(library.store, library.project_id, "one.png", png(1), facts=facts).image_id
    other = add_upload(library.store, library.project_id, "two.png", png(2)).image_id
    library.open()
    library.expect_ids(known, other)
    words = "Part A-17 · Lot L7 · Station <b>north</b> · wet"
    expect(library.item(known).locator(".al-card-facts")).to_have_text(words)
    expect(library.item(other).locator(".al-card-facts")).to_be_hidden()
    library.part("toggle-filters").click()
    library.part("filter-name").fill("l7")
    library.expect_ids(known)
    library.item(known).click()
    expect(library.part("facts")).to_have_text(words)
