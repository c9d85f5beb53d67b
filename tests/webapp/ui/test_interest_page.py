"""Regions of interest on the page: drawn in Inspect with the canvas's tools, seen and removed in Settings."""

import io

import numpy as np
from PIL import Image as Picture
from playwright.sync_api import expect

from db.images.annotations import newest_annotation
from db.projects.interest import regions_of_interest
from tests.webapp.ui.canvas_page import CanvasPage

WIDTH, HEIGHT = 320, 200


def regions(canvas: CanvasPage):
    with canvas.installation.store.session(read_only=True) as session:
        return regions_of_interest(session, 1)


def draw_and_use(canvas: CanvasPage, button: str) -> None:
    canvas.key("r")
    canvas.stroke((160.5, 0.5), (319.5, 199.5))
    canvas.expect_area(160 * HEIGHT)
    if not canvas.part("region-ignore").is_visible():
        canvas.part("region").locator("summary").click()
    canvas.part(button).click()
    canvas.part("dialog").get_by_role("button", name="Use it").click()
    expect(canvas.part("message")).to_have_text("The region is in use. Images are scored anew.")


def test_a_drawn_region_is_ignored_and_what_is_seen_is_what_counts(canvas: CanvasPage, keep) -> None:
    image_id = canvas.add()
    canvas.open(image_id)
    draw_and_use(canvas, "region-ignore")
    canvas.expect_area(0)  # it was no correction
    [made] = regions(canvas)
    data = canvas.installation.store.blobs.get(made.mask_blob_key)
    counting = np.asarray(Picture.open(io.BytesIO(data))) > 0
    assert counting[:, :160].all() and not counting[:, 160:].any()
    with canvas.installation.store.session(read_only=True) as session:
        assert newest_annotation(session, image_id) is None
    expect(canvas.part("region-state")).to_have_text("Only the region of interest counts.")
    keep(canvas.page, "region_of_interest")

    canvas.set_slider("map-threshold", 0.001)  # all of it that counts
    canvas.part("start-from-map").click()
    canvas.expect_area(160 * HEIGHT)

    canvas.page.locator("#tab-settings-button").click()
    expect(canvas.page.get_by_test_id("interest-region")).to_contain_text("50.0 % counts")
    keep(canvas.page, "regions_of_interest")
    canvas.page.get_by_role("button", name="Remove").click()
    expect(canvas.page.get_by_test_id("interest-list")).to_contain_text("All of every image counts.")
    assert regions(canvas) == []


def test_a_region_is_sent_as_a_file_in_settings_and_refused_in_words(canvas: CanvasPage) -> None:
    page = canvas.page
    page.goto(canvas.url)
    page.locator("#tab-settings-button").click()
    for colour, said in ((0, "no pixel counts"), (255, "It is in use.")):
        data = io.BytesIO()
        Picture.new("L", (WIDTH, HEIGHT), colour).save(data, "PNG")
        page.get_by_test_id("interest-file").set_input_files(
            {"name": "mask.png", "mimeType": "image/png", "buffer": data.getvalue()}
        )
        page.get_by_test_id("interest-marks").select_option("interest")
        page.get_by_test_id("interest-station").fill("north")
        page.get_by_test_id("interest-use").click()
        expect(page.get_by_test_id("interest")).to_contain_text(said)
    expect(page.get_by_test_id("interest-region")).to_contain_text("north")
