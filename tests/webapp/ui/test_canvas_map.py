import numpy as np
import pytest
from playwright.sync_api import expect
from scipy import ndimage

from engine.detector.maps import resize_map
from tests.webapp.ui.canvas_page import CanvasPage
from workers.scoring.maps import grid_map


def middle_of(canvas: CanvasPage, image_id: int) -> float:
    """A threshold that half of the map reaches, on the slider's steps."""
    return round(float(np.median(grid_map(canvas.installation.store, image_id))), 3)


def test_start_from_the_map_paints_what_the_server_calls_at_or_above_the_threshold(
    canvas: CanvasPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first of the saved masks would make previews, which come first.
    monkeypatch.setattr("workers.scoring.background.refresh_previews", lambda *_: None)
    sizes = {
        canvas.add(width=width, height=height): (width, height) for width, height in ((320, 200), (40, 300), (48, 32))
    }
    canvas.open(next(iter(sizes)))

    for image_id, (width, height) in sizes.items():
        threshold = middle_of(canvas, image_id)
        canvas.show(image_id)
        canvas.set_slider("map-threshold", threshold)
        canvas.part("start-from-map").click()
        canvas.save()

        values = resize_map(grid_map(canvas.installation.store, image_id), height, width)
        mask = canvas.saved_mask(image_id)
        # Where the map equals the threshold up to float32's rounding, either is right.
        decided = np.abs(values - threshold) > 1e-6
        assert 0 < mask.sum() < mask.size
        assert np.array_equal(mask[decided], (values >= threshold)[decided])
        assert decided.mean() > 0.99


def test_start_from_the_map_can_be_undone(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    canvas.open(image_id)
    canvas.stroke((50.5, 50.5))
    area = int(canvas.root.get_attribute("data-area") or 0)
    canvas.set_slider("map-threshold", middle_of(canvas, image_id))
    canvas.part("start-from-map").click()
    canvas.key("z")
    canvas.expect_area(area)


def test_the_threshold_redraws_without_asking_the_server(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    canvas.open(image_id)
    canvas.set_slider("map-threshold", 0)
    expect(canvas.part("map-area")).to_contain_text("100 %")
    everything = outline(canvas)
    canvas.page.context.set_offline(True)

    canvas.set_slider("map-threshold", middle_of(canvas, image_id))

    expect(canvas.part("map-area")).to_contain_text("50 %")
    canvas.page.wait_for_function(
        "before => document.querySelector('[data-layer=outline]').toDataURL() !== before", arg=everything
    )


def test_moved_away_from_the_project_threshold_the_panel_says_what_accept_uses(canvas: CanvasPage) -> None:
    canvas.open(canvas.add())
    expect(canvas.part("threshold-hint")).to_be_hidden()
    canvas.set_slider("map-threshold", 0.3)
    expect(canvas.part("threshold-hint")).to_contain_text("0.500")
    canvas.part("threshold-reset").click()
    expect(canvas.part("map-threshold-value")).to_have_text("0.500")
    expect(canvas.part("threshold-hint")).to_be_hidden()


def outline(canvas: CanvasPage) -> str:
    canvas.page.wait_for_function("document.querySelector('[data-layer=outline]').width > 100")
    return str(canvas.page.evaluate("document.querySelector('[data-layer=outline]').toDataURL()"))


def test_fill_takes_the_maps_region_under_the_pointer_and_no_other(canvas: CanvasPage) -> None:
    image_id = canvas.open_new()
    values = resize_map(grid_map(canvas.installation.store, image_id), 200, 320)
    threshold = round(float(np.quantile(values, 0.7)), 3)
    regions, count = ndimage.label(values >= threshold)
    assert count > 1, "the picture's map must have several regions"
    chosen = int(np.argmax(np.bincount(regions.ravel())[1:])) + 1
    rows, columns = np.nonzero(ndimage.binary_erosion(regions == chosen, iterations=3))

    canvas.set_slider("map-threshold", threshold)
    canvas.key("g")
    canvas.click((float(columns[0]) + 0.5, float(rows[0]) + 0.5))
    canvas.save()

    # Where the map equals the threshold up to float32's rounding, either is right.
    decided = np.abs(values - threshold) > 1e-6
    assert np.array_equal(canvas.saved_mask(image_id)[decided], (regions == chosen)[decided])
