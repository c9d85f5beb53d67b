import numpy as np
from playwright.sync_api import expect

from tests.webapp.ui.canvas_page import CanvasPage, stroke_mask


def test_undo_and_redo_go_back_and_forth_over_strokes_and_clear(canvas: CanvasPage) -> None:
    canvas.open(canvas.add())
    canvas.set_brush(11)
    first, second = [(30.5, 30.5), (90.5, 60.5)], [(40.5, 40.5), (40.5, 150.5)]
    one = int(stroke_mask(first, 11, width=320, height=200).sum())
    both = int((stroke_mask(first, 11, width=320, height=200) | stroke_mask(second, 11, width=320, height=200)).sum())

    canvas.stroke(*first)
    canvas.expect_area(one)
    canvas.stroke(*second)
    canvas.expect_area(both)
    canvas.part("clear").click()
    canvas.expect_area(0)

    canvas.key("z")
    canvas.expect_area(both)
    canvas.part("undo").click()
    canvas.expect_area(one)
    canvas.key("Shift+Z")
    canvas.expect_area(both)
    canvas.part("redo").click()
    canvas.expect_area(0)
    expect(canvas.part("redo")).to_be_disabled()


def test_after_undo_the_saved_mask_is_the_earlier_one_pixel_by_pixel(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    canvas.open(image_id)
    kept = [(50.5, 50.5), (260.5, 140.5)]
    canvas.set_brush(9)

    canvas.stroke(*kept)
    canvas.stroke((50.5, 140.5), (260.5, 50.5))
    canvas.key("Control+z")
    canvas.save()

    assert np.array_equal(canvas.saved_mask(image_id), stroke_mask(kept, 9, width=320, height=200))


def test_a_new_stroke_after_undo_forgets_what_was_undone(canvas: CanvasPage) -> None:
    canvas.open(canvas.add())
    canvas.stroke((60.5, 60.5))
    canvas.key("z")
    canvas.stroke((160.5, 60.5))
    expect(canvas.part("redo")).to_be_disabled()


def test_fifty_steps_can_be_undone(canvas: CanvasPage) -> None:
    canvas.open(canvas.add())
    canvas.set_brush(1)
    for x in range(55):
        canvas.stroke((10.5 + 3 * x, 20.5))
    canvas.expect_area(55)

    for _ in range(60):
        canvas.key("z")

    canvas.expect_area(5)
    canvas.expect_dirty(True)


def test_the_dirty_mark_knows_when_undo_returns_to_what_was_saved(canvas: CanvasPage) -> None:
    canvas.open(canvas.add())
    canvas.expect_dirty(False)
    canvas.stroke((60.5, 60.5))
    canvas.expect_dirty(True)
    canvas.save()
    canvas.expect_dirty(False)
    canvas.key("z")
    canvas.expect_dirty(True)
    expect(canvas.part("dirty-state")).to_have_text("Not saved")
    canvas.key("Shift+Z")
    canvas.expect_dirty(False)
