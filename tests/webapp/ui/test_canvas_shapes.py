"""Rectangle, polygon, fill, grow, shrink, holes: the saved mask is what the definition says, pixel by pixel."""

import numpy as np
from playwright.sync_api import expect
from scipy import ndimage

from tests.webapp.ui.canvas_page import CanvasPage, Point, polygon_mask, stroke_mask
from workers.scoring.maps import grid_map

WIDTH, HEIGHT = 320, 200


def box(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    mask = np.zeros((HEIGHT, WIDTH), dtype=np.uint8)
    mask[top:bottom, left:right] = 1
    return mask


def test_a_rectangle_holds_both_corner_pixels_and_shift_takes_one_away(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()

    canvas.key("r")
    canvas.stroke((120.5, 90.5), (40.5, 30.5))
    canvas.expect_area(81 * 61)
    canvas.page.keyboard.down("Shift")
    canvas.stroke((60.5, 50.5), (80.5, 70.5))
    canvas.page.keyboard.up("Shift")
    canvas.stroke((300.5, 150.5), (340.5, 215.5))
    canvas.save()

    expected = (box(40, 30, 121, 91) & (1 - box(60, 50, 81, 71))) | box(300, 150, WIDTH, HEIGHT)
    assert np.array_equal(canvas.saved_mask(image_id), expected)


CORNERS: list[Point] = [(40.3, 30.2), (250.7, 60.4), (180.2, 170.8), (110.6, 80.1), (30.9, 150.3)]


def by_enter(canvas: CanvasPage) -> None:
    canvas.key("Enter")


def by_button(canvas: CanvasPage) -> None:
    canvas.part("shape-close").click()


def by_the_first_corner(canvas: CanvasPage) -> None:
    canvas.click((CORNERS[0][0] + 1.5, CORNERS[0][1] + 1.5))


def by_double_click(canvas: CanvasPage) -> None:
    canvas.page.mouse.dblclick(*canvas.at(CORNERS[-1]))


def test_a_polygon_covers_the_pixels_whose_centre_it_holds(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    # Between screen pixels and image pixels a corner moves by less than a tenth of a pixel.
    near = [
        polygon_mask([(x + dx, y + dy) for x, y in CORNERS], width=WIDTH, height=HEIGHT)
        for dx in (-0.1, 0.1)
        for dy in (-0.1, 0.1)
    ]
    decided = np.all([mask == near[0] for mask in near], axis=0)
    assert decided.mean() > 0.99
    ways = {canvas.add_new(): close for close in (by_enter, by_button, by_the_first_corner, by_double_click)}
    canvas.open(next(iter(ways)))

    for image_id, close in ways.items():
        canvas.show(image_id)
        canvas.part("tool-polygon").click()
        for corner in CORNERS:
            canvas.click(corner)
        canvas.expect_area(0)
        close(canvas)
        expect(canvas.part("sketch").locator("circle")).to_have_count(0)
        canvas.save()
        assert np.array_equal(canvas.saved_mask(image_id)[decided], near[0][decided]), close.__name__


def test_backspace_and_undo_remove_a_corner_and_escape_all_of_them(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    canvas.open_new()
    handles = canvas.part("sketch").locator("circle")
    canvas.key("p")
    for corner in CORNERS[:4]:
        canvas.click(corner)
    expect(handles).to_have_count(4)
    expect(canvas.part("tool-hint-words")).to_contain_text("4 corners")

    canvas.key("Backspace")
    expect(handles).to_have_count(3)
    canvas.key("z")
    expect(handles).to_have_count(2)
    canvas.key("Escape")

    expect(handles).to_have_count(0)
    canvas.expect_dirty(False)


def test_a_polygon_stays_at_its_pixels_when_the_view_moves_and_is_finished_by_saving(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    canvas.key("p")
    canvas.click((100.0, 60.0))
    canvas.click((200.0, 60.0))
    canvas.key("+")
    canvas.click((200.0, 120.0))
    canvas.click((100.0, 120.0))

    canvas.save()

    assert np.array_equal(canvas.saved_mask(image_id), box(100, 60, 200, 120))


def test_fill_below_the_threshold_says_why_nothing_happens(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    canvas.open_new()
    canvas.set_slider("map-threshold", 1)
    canvas.key("g")
    canvas.click((100.5, 100.5))
    expect(canvas.part("message")).to_contain_text("below the threshold 1.000")
    canvas.expect_dirty(False)


def test_grow_shrink_and_fill_holes_are_those_of_mathematical_morphology(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    ring = [(60.5, 40.5), (150.5, 45.5), (140.5, 130.5), (58.5, 120.5), (60.5, 40.5)]
    edge = [(319.5, 100.5), (300.5, 199.5)]
    canvas.set_brush(7)
    canvas.stroke(*ring)
    canvas.stroke(*edge)
    drawn = stroke_mask(ring, 7, width=WIDTH, height=HEIGHT) | stroke_mask(edge, 7, width=WIDTH, height=HEIGHT)
    grown = ndimage.binary_dilation(drawn, iterations=3)
    shrunk = ndimage.binary_erosion(grown, border_value=1)
    filled = ndimage.binary_fill_holes(shrunk)
    assert filled.sum() > shrunk.sum()

    for _ in range(3):
        canvas.key(".")
    canvas.expect_area(int(grown.sum()))
    canvas.key(",")
    canvas.expect_area(int(shrunk.sum()))
    canvas.part("fill-holes").click()
    canvas.save()

    assert np.array_equal(canvas.saved_mask(image_id), filled)


def test_fifty_steps_of_all_kinds_are_undone_and_done_again(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    canvas.set_slider("map-threshold", round(float(np.median(grid_map(canvas.installation.store, image_id))), 3))
    areas = ["0"]

    def after(act) -> None:
        act()
        areas.append(str(canvas.root.get_attribute("data-area")))

    def rectangle(x: float) -> None:
        canvas.stroke((x, 20.5), (x + 12, 60.5))

    for turn in range(10):
        canvas.key("r")
        after(lambda turn=turn: rectangle(20.5 + 25 * turn))
        for key in (".", ",", "."):
            after(lambda key=key: canvas.key(key))
        canvas.key("e")
        after(lambda turn=turn: canvas.stroke((22.5 + 25 * turn, 30.5), (28.5 + 25 * turn, 30.5)))
    assert len(areas) == 51
    assert len(set(areas)) > 30

    for expected in reversed(areas[:-1]):
        canvas.key("z")
        canvas.expect_area(int(expected))
    expect(canvas.part("undo")).to_be_disabled()
    for expected in areas[1:]:
        canvas.key("Shift+Z")
        canvas.expect_area(int(expected))
