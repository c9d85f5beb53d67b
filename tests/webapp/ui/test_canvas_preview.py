"""Which map is shown: in service, the preview that corrections make at once, or the prompts alone; and what A saves."""

import re

import numpy as np
from playwright.sync_api import expect
from sqlalchemy import update

from db.images.previews import NewPreview, save_previews
from db.projects.projects import update_settings
from db.tables.core import PromptVersion
from db.training.prompt_versions import active_version
from engine.detector.maps import map_to_npy, resize_map
from engine.detector.standing_out import FEWEST
from tests.e2e.conftest import ARTEFACTS
from tests.pictures import mask_png
from tests.webapp.ui.canvas_page import CanvasPage
from tests.webapp.ui.test_canvas_saving import label_of
from workers.images.correcting import save_mask
from workers.training.previewing import refresh_previews

BOX = (100, 60, 131, 97)


def previewed(canvas: CanvasPage) -> tuple[int, int]:
    """A corrected image and another one with a preview."""
    corrected, other = canvas.add_new(), canvas.add_new()
    save_mask(canvas.installation.store, corrected, mask_png(320, 200, box=BOX))
    refresh_previews(canvas.installation.store, canvas.installation.project_id)
    return corrected, other


def heat(canvas: CanvasPage) -> bytes:
    """What is drawn of the map."""
    canvas.page.wait_for_function("document.querySelector('[data-layer=heat]').width > 100")
    data = str(canvas.page.evaluate("document.querySelector('[data-layer=heat]').toDataURL()"))
    return data.encode()


def expect_other_heat(canvas: CanvasPage, before: bytes) -> None:
    canvas.page.wait_for_function(
        "before => document.querySelector('[data-layer=heat]').toDataURL() !== before", arg=before.decode()
    )


def test_a_preview_is_shown_marked_as_one_and_can_be_switched_off(canvas: CanvasPage) -> None:
    _, other = previewed(canvas)
    canvas.open(other)
    expect(canvas.root).to_have_attribute("data-map", "preview")
    expect(canvas.part("map-mark")).to_contain_text("Preview: what your 1 correction makes of this image.")
    expect(canvas.part("map-preview")).to_have_attribute("aria-pressed", "true")
    shown = heat(canvas)

    canvas.part("map-service").click()
    expect(canvas.part("map-mark")).to_be_hidden()
    expect(canvas.part("map-service")).to_have_attribute("aria-pressed", "true")
    expect_other_heat(canvas, shown)
    # The choice holds for the next image, until it is changed.
    canvas.show(canvas_first(canvas))
    expect(canvas.root).to_have_attribute("data-map", "service")
    canvas.part("map-preview").click()
    expect(canvas.part("map-mark")).to_contain_text("which is of this image")


def canvas_first(canvas: CanvasPage) -> int:
    items = canvas.part("filmstrip-item")
    open_id = canvas.root.get_attribute("data-image-id")
    ids = [item.get_attribute("data-id") for item in items.all()]
    return int(next(one for one in ids if one and one != open_id))


def test_a_correction_shows_on_the_image_that_is_open_next_without_a_reload(canvas: CanvasPage) -> None:
    first, second = canvas.add_new(), canvas.add_new()
    canvas.open(first)
    expect(canvas.part("map-preview")).to_be_hidden()
    canvas.set_brush(31)
    canvas.stroke((60.5, 60.5), (200.5, 60.5))
    canvas.save()
    canvas.show(second)
    expect(canvas.root).to_have_attribute("data-map", "preview")
    expect(canvas.part("map-mark")).to_be_visible()


def test_what_is_unlike_the_others_is_shown_where_a_person_asks_for_it(canvas: CanvasPage) -> None:
    for _ in range(FEWEST - 2):
        canvas.add_new()
    first, second = canvas.add_new(), canvas.add_new()
    canvas.open(first)
    expect(canvas.root).to_have_attribute("data-map", "service")
    accepted = "nothing is wrong with it" if canvas.part("verdict").inner_text() == "Not judged yet" else "is right"
    expect(canvas.part("accept")).to_have_attribute("title", re.compile(accepted))
    shown = heat(canvas)
    canvas.part("map-others").click()
    expect(canvas.part("map-mark")).to_contain_text("what is rare among this project's images")
    expect_other_heat(canvas, shown)
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    canvas.page.screenshot(path=ARTEFACTS / "map-unlike-others.png")
    canvas.show(second)
    expect(canvas.root).to_have_attribute("data-map", "others")
    canvas.page.reload()
    canvas.expect_open(second)
    expect(canvas.root).to_have_attribute("data-map", "service")  # never by itself


def test_accepting_a_preview_saves_what_it_outlines_as_a_drawn_mask(canvas: CanvasPage) -> None:
    image_id = canvas.add_new()
    ramp = np.linspace(0, 1, 160, dtype=np.float32)[None].repeat(100, axis=0)
    give_preview(canvas, image_id, ramp)
    with canvas.installation.store.session() as session:
        update_settings(session, canvas.installation.project_id, {"map_threshold": 0.75})
    canvas.open(image_id)
    expect(canvas.root).to_have_attribute("data-map", "preview")
    canvas.key("a")
    expect(canvas.part("message")).to_contain_text("Saved")
    assert label_of(canvas, image_id) == (1, "anomalous", "drawn")
    assert np.array_equal(canvas.saved_mask(image_id), resize_map(ramp, 200, 320) >= 0.75)


def give_preview(canvas: CanvasPage, image_id: int, anomaly_map: np.ndarray) -> None:
    """A preview with this map."""
    store, project_id = canvas.installation.store, canvas.installation.project_id
    with store.session() as session:
        version = active_version(session, project_id)
        assert version is not None
        made = NewPreview(image_id, 0.9, store.keep_until_named(session, map_to_npy(anomaly_map)))
        save_previews(session, project_id, version.id, [made], corrections=3)


def test_a_preview_that_outlines_nothing_is_not_silently_normal(canvas: CanvasPage) -> None:
    _, other = previewed(canvas)
    with canvas.installation.store.session() as session:
        update_settings(session, canvas.installation.project_id, {"map_threshold": 1.0})
    canvas.open(other)
    expect(canvas.root).to_have_attribute("data-map", "preview")
    canvas.key("a")
    expect(canvas.part("message")).to_contain_text("no mask to accept")
    expect(canvas.part("revision")).to_have_text("Not corrected yet")


def test_in_service_accept_is_what_it_was(canvas: CanvasPage) -> None:
    _, other = previewed(canvas)
    canvas.open(other)
    canvas.part("map-service").click()
    expect(canvas.root).to_have_attribute("data-map", "service")
    canvas.key("a")
    expect(canvas.part("message")).to_contain_text("Saved")
    assert label_of(canvas, other)[2] == "accepted"


def test_of_a_refined_version_the_prompts_own_map_can_be_seen(canvas: CanvasPage) -> None:
    with canvas.installation.store.session() as session:
        session.execute(update(PromptVersion).values(metrics={"parts": ["prompts", "refiner"]}))
    image_id = canvas.add_new()
    canvas.open(image_id)
    expect(canvas.part("map-preview")).to_be_hidden()
    with canvas.page.expect_response(lambda answer: "part=prompts" in answer.url and answer.ok):
        canvas.part("map-prompts").click()
    expect(canvas.part("map-mark")).to_contain_text("Prompts alone")


def test_an_image_can_be_called_anomalous_without_a_mask(canvas: CanvasPage) -> None:
    image_id = canvas.add_new()
    canvas.open(image_id)
    canvas.key("d")
    expect(canvas.part("message")).to_contain_text("Saved as anomalous, not marked where")
    assert label_of(canvas, image_id) == (1, "anomalous", "marked_anomalous")
    expect(canvas.part("mask-area")).to_have_text("Called anomalous, not marked where")
    expect(canvas.part("revision")).to_contain_text("called anomalous by")
    canvas.open(image_id)
    expect(canvas.part("mask-area")).to_have_text("Called anomalous, not marked where")
    canvas.key("s")  # nothing was painted, so nothing changes: it does not become normal
    expect(canvas.part("message")).to_contain_text("Saved already")
    assert label_of(canvas, image_id)[1] == "anomalous"


def test_the_button_does_the_same_and_asks_before_it_replaces_painting(canvas: CanvasPage) -> None:
    image_id = canvas.add_new()
    canvas.open(image_id)
    canvas.stroke((50.5, 50.5))
    canvas.part("mark-anomalous").click()
    expect(canvas.part("dialog")).to_contain_text("Call the image anomalous without your painting?")
    canvas.part("dialog").get_by_role("button", name="Call it anomalous without a mask").click()
    canvas.expect_area(0)
    assert label_of(canvas, image_id) == (1, "anomalous", "marked_anomalous")
