"""The canvas on another screen, or in a zoomed page: as sharp as the screen is, and painting where the pointer is."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.running import wait_until
from tests.webapp.ui.canvas_page import CanvasPage, stroke_mask

_DEVICE_PIXELS = "stage => [...stage.querySelectorAll('canvas')].map(({ width, height }) => [width, height])"
_CSS_PIXELS = "stage => [stage.clientWidth, stage.clientHeight]"


# Less than the page is high at least, so that the stage stays as it is while the window's height changes.
_LOW = 540


@pytest.fixture
def change_ratio(page: Page) -> Callable[[float], None]:
    """Call with device pixels per CSS pixel: the screen is such a one from then on."""
    devtools = page.context.new_cdp_session(page)
    heights = itertools.count(_LOW)  # Chromium tells a page of an emulated ratio only along with a new size
    page.set_viewport_size({"width": 1280, "height": next(heights)})

    def change(ratio: float) -> None:
        screen = {"width": 1280, "height": next(heights), "mobile": False, "deviceScaleFactor": ratio}
        devtools.send("Emulation.setDeviceMetricsOverride", screen)

    return change


def test_layers_have_the_pixels_of_the_screen_whenever_its_density_changes(
    shared_canvas: CanvasPage, change_ratio: Callable[[float], None]
) -> None:
    shared_canvas.open_new()
    stage = shared_canvas.part("stage")
    size = stage.evaluate(_CSS_PIXELS)
    for ratio in (2, 1.25, 3, 1):
        change_ratio(ratio)
        wanted = [[int(side * ratio + 0.5) for side in size]] * 4
        wait_until(lambda wanted=wanted: stage.evaluate(_DEVICE_PIXELS) == wanted, f"layers of {wanted}", seconds=10)
        assert stage.evaluate(_CSS_PIXELS) == size


def test_the_image_stays_where_it_was_fitted_and_is_painted_under_the_pointer(
    shared_canvas: CanvasPage, change_ratio: Callable[[float], None]
) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    before = canvas.at((100, 100))
    scale = canvas.part("stage").get_attribute("data-scale")
    change_ratio(2)
    wait_until(lambda: canvas.part("stage").evaluate(_DEVICE_PIXELS)[0][0] > 1280, "twice the pixels", seconds=10)
    assert np.allclose(canvas.at((100, 100)), before, atol=1)
    assert canvas.part("stage").get_attribute("data-scale") == scale

    canvas.set_brush(11)
    points = [(60.5, 60.5), (120.5, 90.5)]
    canvas.stroke(*points)
    canvas.save()

    assert np.array_equal(canvas.saved_mask(image_id), stroke_mask(points, 11, width=320, height=200))
