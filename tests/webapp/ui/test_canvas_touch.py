import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.webapp.ui.canvas_page import CanvasPage, stroke_mask
from tests.webapp.ui.conftest import open_page
from tests.webapp.ui.touch import Pen, Touch

LINE = [(60.5, 60.5), (120.5, 70.5), (200.5, 120.5)]


@pytest.fixture
def page(browser: Browser):
    yield from open_page(browser, 1024, 768, has_touch=True)


def painted(canvas: CanvasPage, image_id: int) -> np.ndarray:
    canvas.save()
    return canvas.saved_mask(image_id)


def test_a_finger_paints_and_does_not_scroll_the_page(shared_canvas: CanvasPage, page: Page) -> None:
    image_id = shared_canvas.open_new()
    shared_canvas.set_brush(9)

    Touch(page).draw(*[shared_canvas.at(point) for point in LINE])

    assert np.array_equal(painted(shared_canvas, image_id), stroke_mask(LINE, 9, width=320, height=200))
    assert page.evaluate("[scrollY, visualViewport.scale]") == [0, 1]


def test_two_fingers_zoom_and_pan_and_leave_no_mark(shared_canvas: CanvasPage, page: Page) -> None:
    shared_canvas.open_new()
    stage = shared_canvas.part("stage")
    before = float(stage.get_attribute("data-scale") or 0)
    x, y = shared_canvas.at((160, 100))
    touch = Touch(page)

    touch.put((x - 50, y))
    touch.put((x - 50, y), (x + 50, y))
    touch.move((x - 100 + 30, y + 20), (x + 100 + 30, y + 20))
    touch.lift()

    assert float(stage.get_attribute("data-scale") or 0) == pytest.approx(2 * before, rel=0.02)
    assert shared_canvas.at((160, 100)) == pytest.approx((x + 30, y + 20), abs=2)
    shared_canvas.expect_dirty(False)


def test_a_second_finger_late_in_a_stroke_does_not_lose_it(shared_canvas: CanvasPage, page: Page) -> None:
    image_id = shared_canvas.open_new()
    shared_canvas.set_brush(9)
    points = [shared_canvas.at(point) for point in LINE]
    touch = Touch(page)

    touch.put(points[0])
    for point in points[1:]:
        touch.move(point)
    touch.put(points[-1], (points[-1][0] + 60, points[-1][1]))
    touch.lift()

    assert np.array_equal(painted(shared_canvas, image_id), stroke_mask(LINE, 9, width=320, height=200))


def test_a_pens_pressure_does_not_change_the_width_and_fingers_pan_beside_it(
    shared_canvas: CanvasPage, page: Page
) -> None:
    image_id = shared_canvas.open_new()
    shared_canvas.set_brush(9)
    points = [shared_canvas.at(point) for point in LINE]
    Pen(page).draw(*points, force=0.1)
    x, y = shared_canvas.at((160, 100))

    Touch(page).draw((x, y), (x + 25, y + 15), (x + 50, y + 30))

    assert shared_canvas.at((160, 100)) == pytest.approx((x + 50, y + 30), abs=1)
    assert np.array_equal(painted(shared_canvas, image_id), stroke_mask(LINE, 9, width=320, height=200))


def test_a_polygon_is_drawn_by_taps_and_closed_on_its_first_corner(shared_canvas: CanvasPage, page: Page) -> None:
    image_id = shared_canvas.open_new()
    shared_canvas.part("tool-polygon").tap()
    touch = Touch(page)
    corners = [(100.0, 60.0), (200.0, 60.0), (200.0, 120.0), (100.0, 120.0)]

    for corner in [*corners, corners[0]]:
        touch.draw(shared_canvas.at(corner))

    expect(shared_canvas.part("shape-close")).to_be_hidden()
    mask = painted(shared_canvas, image_id)
    assert mask[61:119, 101:199].all() and mask.sum() == pytest.approx(6000, rel=0.05)
