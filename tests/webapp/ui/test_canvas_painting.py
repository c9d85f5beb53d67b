import numpy as np
import pytest
from playwright.sync_api import expect

from tests.webapp.ui.canvas_page import CanvasPage, stroke_mask

WIDTH, HEIGHT = 320, 200


def test_what_is_painted_and_erased_is_what_the_database_holds_pixel_by_pixel(canvas: CanvasPage) -> None:
    image_id = canvas.add(width=WIDTH, height=HEIGHT)
    canvas.open(image_id)
    painted = [(40.3, 50.2), (200.4, 90.3), (120.3, 150.2), (250.2, 160.4)]
    erased = [(60.2, 40.3), (140.3, 130.4)]

    canvas.set_brush(17)
    canvas.stroke(*painted)
    canvas.key("e")
    canvas.set_brush(8)
    canvas.stroke(*erased)
    canvas.save()

    expected = stroke_mask(painted, 17, width=WIDTH, height=HEIGHT)
    expected &= 1 - stroke_mask(erased, 8, width=WIDTH, height=HEIGHT)
    assert np.array_equal(canvas.saved_mask(image_id), expected)
    canvas.expect_area(int(expected.sum()))


def test_a_brush_of_one_pixel_paints_the_pixel_under_the_pointer_and_of_two_the_four_around_it(
    canvas: CanvasPage,
) -> None:
    image_id = canvas.add(width=64, height=48)
    canvas.open(image_id)

    canvas.set_brush(1)
    canvas.stroke((20.2, 30.8))
    canvas.set_brush(2)
    canvas.stroke((40.1, 10.9))
    canvas.save()

    expected = np.zeros((48, 64), dtype=np.uint8)
    expected[30, 20] = 1
    expected[10:12, 39:41] = 1
    assert np.array_equal(canvas.saved_mask(image_id), expected)


def test_zoomed_and_panned_the_brush_paints_where_the_pointer_is(canvas: CanvasPage) -> None:
    image_id = canvas.add(width=WIDTH, height=HEIGHT)
    canvas.open(image_id)
    fitted = float(canvas.part("stage").get_attribute("data-scale") or 0)

    canvas.page.mouse.move(*canvas.at((200, 100)))
    for _ in range(4):
        canvas.page.mouse.wheel(0, -240)
    expect(canvas.part("stage")).not_to_have_attribute("data-scale", str(fitted))
    _drag_with_space(canvas, (200, 100), 60, -35)
    points = [(195.5, 96.5), (204.5, 101.5), (199.5, 108.5)]
    canvas.set_brush(3)
    canvas.stroke(*points)
    canvas.save()

    assert np.array_equal(canvas.saved_mask(image_id), stroke_mask(points, 3, width=WIDTH, height=HEIGHT))
    canvas.key("f")
    expect(canvas.part("stage")).to_have_attribute("data-scale", str(fitted))


def test_zooming_by_wheel_keeps_the_point_under_the_pointer(canvas: CanvasPage) -> None:
    canvas.open(canvas.add(width=WIDTH, height=HEIGHT))
    x, y = canvas.at((210, 120))
    canvas.page.mouse.move(x, y)

    canvas.page.mouse.wheel(0, -200)

    expect(canvas.part("zoom-level")).not_to_have_text("100 %")
    assert canvas.at((210, 120)) == pytest.approx((x, y), abs=1.5)


def test_strokes_that_leave_the_image_are_cut_at_its_edge(canvas: CanvasPage) -> None:
    image_id = canvas.add(width=WIDTH, height=HEIGHT)
    canvas.open(image_id)
    points = [(300.5, 100.5), (330.5, 190.5), (290.5, 205.5)]

    canvas.set_brush(21)
    canvas.stroke(*points)
    canvas.save()

    assert np.array_equal(canvas.saved_mask(image_id), stroke_mask(points, 21, width=WIDTH, height=HEIGHT))


def test_a_twelve_megapixel_image_is_painted_exactly_and_read_back(canvas: CanvasPage) -> None:
    image_id = canvas.add(width=4000, height=3000)
    canvas.open(image_id)
    points = [(500.0, 400.0), (3400.0, 2500.0)]

    canvas.set_brush(60)
    canvas.stroke(*points)
    canvas.save()

    mask = canvas.saved_mask(image_id)
    assert np.array_equal(mask, stroke_mask(points, 60, width=4000, height=3000))
    canvas.open(image_id)
    canvas.expect_area(int(mask.sum()))


def test_keys_do_nothing_while_someone_types(canvas: CanvasPage) -> None:
    canvas.open(canvas.add())
    canvas.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<input id=typing style=\"position:fixed\">')")

    canvas.page.locator("#typing").press_sequentially("en")

    expect(canvas.part("tool-brush")).to_have_attribute("aria-pressed", "true")
    expect(canvas.part("status")).to_have_text("To review")
    assert canvas.page.locator("#typing").input_value() == "en"


def _drag_with_space(canvas: CanvasPage, start: tuple[float, float], dx: float, dy: float) -> None:
    x, y = canvas.at(start)
    canvas.page.mouse.move(x, y)
    canvas.page.keyboard.down(" ")
    canvas.page.mouse.down()
    canvas.page.mouse.move(x + dx, y + dy, steps=3)
    canvas.page.mouse.up()
    canvas.page.keyboard.up(" ")
