"""Never a lost stroke: what is painted outlives a reload, a failed save and someone else's save."""

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from db.images.annotations import newest_annotation
from tests.pictures import mask_png
from tests.webapp.ui.canvas_page import CanvasPage, stroke_mask
from workers.images.correcting import save_mask

FIRST, SECOND = [(40.5, 40.5), (200.5, 90.5)], [(150.5, 150.5), (220.5, 60.5)]
SIZE = {"width": 320, "height": 200}


@pytest.fixture
def page(page: Page) -> Page:
    page.on("dialog", lambda dialog: dialog.accept())  # "leave the page?"
    return page


def paint(canvas: CanvasPage, *strokes: list) -> np.ndarray:
    canvas.set_brush(9)
    painted = np.zeros((SIZE["height"], SIZE["width"]), dtype=np.uint8)
    for stroke in strokes:
        canvas.stroke(*stroke)
        painted |= stroke_mask(stroke, 9, **SIZE)
    canvas.expect_dirty(True)
    return painted


def reload(canvas: CanvasPage, image_id: int) -> None:
    canvas.page.reload()
    canvas.expect_open(image_id)


def test_unsaved_painting_is_there_after_a_reload_pixel_by_pixel(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.add_new()
    save_mask(canvas.installation.store, image_id, mask_png(320, 200, box=(100, 60, 131, 97)))
    canvas.open(image_id)
    canvas.key("e")
    canvas.set_brush(9)
    canvas.stroke((90.5, 80.5), (140.5, 80.5))
    canvas.key("b")
    painted = paint(canvas, FIRST)
    expected = np.zeros_like(painted)
    expected[60:97, 100:131] = 1
    expected &= 1 - stroke_mask([(90.5, 80.5), (140.5, 80.5)], 9, **SIZE)
    expected |= painted

    reload(canvas, image_id)

    expect(canvas.part("message")).to_contain_text("Your unsaved painting")
    canvas.expect_area(int(expected.sum()))
    canvas.expect_dirty(True)
    canvas.save()
    assert np.array_equal(canvas.saved_mask(image_id), expected)


def test_painting_goes_on_after_several_reloads_and_a_saved_one_is_not_brought_back(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    expected = paint(canvas, FIRST)
    reload(canvas, image_id)
    expected |= paint(canvas, SECOND)
    reload(canvas, image_id)
    canvas.expect_area(int(expected.sum()))
    canvas.save()
    assert np.array_equal(canvas.saved_mask(image_id), expected)

    reload(canvas, image_id)

    canvas.expect_area(int(expected.sum()))
    canvas.expect_dirty(False)


def test_undo_takes_restored_painting_away_and_then_it_stays_away(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    paint(canvas, FIRST)
    reload(canvas, image_id)
    canvas.expect_dirty(True)
    canvas.key("z")
    canvas.expect_dirty(False)
    canvas.expect_area(0)
    reload(canvas, image_id)
    canvas.expect_area(0)


def test_a_save_that_fails_keeps_the_painting_and_says_what_to_do(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    expected = paint(canvas, FIRST)
    canvas.page.context.set_offline(True)

    canvas.key("s")

    expect(canvas.part("message")).to_contain_text("Not saved: the server does not answer")
    expect(canvas.part("message")).to_contain_text("S tries again")
    canvas.expect_dirty(True)
    canvas.page.context.set_offline(False)
    canvas.save()
    assert np.array_equal(canvas.saved_mask(image_id), expected)


def test_painting_left_on_another_image_is_told_of_and_opened(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    expected = paint(canvas, FIRST)
    other = canvas.add_new()

    canvas.open(other)
    expect(canvas.part("kept-words")).to_contain_text("Unsaved painting on picture-")
    canvas.part("kept-open").click()

    canvas.expect_open(image_id)
    canvas.expect_area(int(expected.sum()))
    expect(canvas.part("kept-notice")).to_be_hidden()


def test_restored_painting_that_someone_overtook_asks_which_to_keep_and_neither_is_lost(
    shared_canvas: CanvasPage,
) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    mine = paint(canvas, FIRST)
    canvas.page.goto("about:blank")
    save_mask(canvas.installation.store, image_id, mask_png(320, 200, box=(0, 0, 10, 10)), author="Kim")

    canvas.open(image_id)
    expect(canvas.part("message")).to_contain_text("Kim saved another mask")
    canvas.key("s")
    expect(canvas.part("dialog")).to_contain_text("Revision 1 by Kim is newer")
    canvas.part("dialog-reload").click()
    canvas.expect_area(100)
    canvas.expect_dirty(False)

    canvas.key("z")
    canvas.expect_area(int(mine.sum()))
    canvas.save()
    assert np.array_equal(canvas.saved_mask(image_id), mine)


def test_a_large_mask_outlives_a_reload_and_is_forgotten_when_discarded(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.add_new(width=4000, height=3000)
    canvas.open(image_id)
    canvas.key("r")
    canvas.stroke((10.5, 10.5), (3900.5, 2900.5))
    area = int(canvas.root.get_attribute("data-area") or 0)
    assert area > 11_000_000
    reload(canvas, image_id)
    canvas.expect_area(area)

    canvas.key("ArrowRight")
    canvas.part("dialog-discard").click()
    expect(canvas.root).not_to_have_attribute("data-image-id", str(image_id))
    canvas.open(image_id)

    canvas.expect_area(0)


def test_going_on_after_a_decision_is_a_choice_that_is_remembered(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    older = canvas.add_new()
    image_id = canvas.open_new()
    canvas.part("go-on").check()
    canvas.open(image_id)

    canvas.key("n")

    canvas.expect_open(older)
    with canvas.installation.store.session(read_only=True) as session:
        annotation = newest_annotation(session, image_id)
        assert annotation is not None and annotation.label == "normal"
