"""Lists of many images: what is out of sight isn't drawn, and nothing is kept of what has left the list."""

import itertools

import pytest
from playwright.sync_api import expect

from tests.running import wait_until
from tests.webapp.ui.canvas_page import CanvasPage
from workers.images.correcting import mark_normal

_SEEDS = itertools.count(5000)
_IS_DRAWN = "item => item.checkVisibility({ contentVisibilityAuto: true })"
_MARK = "item => { item.closest('li').marked = true }"
_IS_MARKED = "item => item.closest('li').marked === true"


@pytest.mark.parametrize(("tab", "item"), [("inspect", "filmstrip-item"), ("library", "library-item")])
def test_only_what_is_in_sight_is_drawn(canvas: CanvasPage, tab: str, item: str) -> None:
    page = canvas.page
    for _ in range(50):
        canvas.add(seed=next(_SEEDS), score=False)
    page.set_viewport_size({"width": 1280, "height": 400})  # the browser prepares what is some windows away
    page.goto(canvas.url)
    page.locator(f"#tab-{tab}-button").click()
    items = page.get_by_test_id(item)
    expect(items).to_have_count(50)
    items.first.locator("img").wait_for()
    assert 5 <= items.evaluate_all(f"items => items.filter({_IS_DRAWN}).length") < 45
    last = items.nth(49)
    last.scroll_into_view_if_needed()
    wait_until(lambda: last.evaluate(_IS_DRAWN), "the last one drawn", seconds=20)


def test_an_image_that_left_the_filmstrip_and_comes_back_is_made_anew(canvas: CanvasPage) -> None:
    corrected, waiting = canvas.add(seed=1), canvas.add(seed=2)
    mark_normal(canvas.installation.store, corrected)
    canvas.open(waiting)
    row = {id: canvas.page.locator(f"[data-testid=filmstrip-item][data-id='{id}']") for id in (corrected, waiting)}
    for one in row.values():
        one.evaluate(_MARK)

    canvas.part("filmstrip-order").select_option("uncertain")
    expect(row[corrected]).to_have_count(0)
    canvas.part("filmstrip-order").select_option("newest")

    expect(row[corrected]).to_have_count(1)
    assert not row[corrected].evaluate(_IS_MARKED)
    assert row[waiting].evaluate(_IS_MARKED), "it was there all the time"


def test_a_card_that_left_the_library_is_made_anew_and_what_is_selected_is_known_all_the_while(
    canvas: CanvasPage,
) -> None:
    corrected, waiting = canvas.add(seed=1), canvas.add(seed=2)
    canvas.page.goto(canvas.url)
    canvas.page.locator("#tab-library-button").click()
    card = {id: canvas.page.locator(f"[data-testid=library-item][data-id='{id}']") for id in (corrected, waiting)}
    canvas.part("filter-to_review").click()
    for one in card.values():
        one.evaluate(_MARK)
    canvas.page.locator("#library-grid li").filter(has=card[corrected]).get_by_test_id("library-tick").click()

    mark_normal(canvas.installation.store, corrected)  # somewhere else
    expect(card[corrected]).to_have_count(0)
    canvas.part("batch-normal").click()
    expect(canvas.part("batch-message")).to_contain_text("1 not")
    canvas.part("filter-all").click()

    expect(card[corrected]).to_have_count(1)
    assert not card[corrected].evaluate(_IS_MARKED)
    assert card[waiting].evaluate(_IS_MARKED), "it was there all the time"
