"""→ shows the next image from what was fetched ahead."""

import numpy as np
from playwright.sync_api import expect

from tests.pictures import mask_png
from tests.webapp.ui.canvas_page import CanvasPage, stroke_mask
from workers.images.correcting import save_mask


def fetched(canvas: CanvasPage, image_id: int) -> None:
    """Wait until picture and map of the image have come."""
    canvas.page.wait_for_function(
        """(id) => ["display", "map"].every((part) => performance.getEntriesByType("resource")
            .some((one) => one.name.includes(`/images/${id}/${part}`) && one.responseEnd))""",
        arg=image_id,
    )
    # The picture is decoded by the time that the browser has nothing else to do.
    canvas.page.evaluate("() => new Promise((done) => requestIdleCallback(done))")


def test_the_next_image_its_map_and_its_mask_are_shown_without_the_server(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    following = canvas.add_new()
    save_mask(canvas.installation.store, following, mask_png(320, 200, box=(100, 60, 131, 97)))
    canvas.open_new()
    fetched(canvas, following)
    canvas.page.context.set_offline(True)

    canvas.key("ArrowRight")

    canvas.expect_open(following)
    canvas.expect_area(31 * 37)
    expect(canvas.part("map-area")).to_contain_text("of the image")


def test_a_mask_that_was_saved_after_it_was_fetched_is_shown_all_the_same(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    following = canvas.add_new()
    canvas.open_new()
    fetched(canvas, following)
    save_mask(canvas.installation.store, following, mask_png(320, 200, box=(10, 10, 20, 20)), author="Kim")

    canvas.key("ArrowRight")
    canvas.expect_open(following)
    canvas.expect_area(100)

    canvas.set_brush(5)
    canvas.stroke((100.5, 100.5))
    canvas.save()
    expected = stroke_mask([(100.5, 100.5)], 5, width=320, height=200)
    expected[10:20, 10:20] = 1
    assert np.array_equal(canvas.saved_mask(following), expected)
