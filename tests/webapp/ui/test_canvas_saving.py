import re

import numpy as np
from playwright.sync_api import expect

from db.images.annotations import newest_annotation
from db.projects.projects import update_settings
from tests.pictures import mask_png
from tests.webapp.ui.canvas_page import CanvasPage, stroke_mask
from tests.workers.making import activate_copy, score_all
from workers.images.correcting import mark_normal, save_mask


def label_of(canvas: CanvasPage, image_id: int) -> tuple[int, str, str]:
    """Revision, label and source of the newest annotation."""
    with canvas.installation.store.session(read_only=True) as session:
        annotation = newest_annotation(session, image_id)
        assert annotation is not None
        return annotation.revision, annotation.label, annotation.source


def test_a_saved_mask_is_there_again_when_the_image_is_opened(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    save_mask(canvas.installation.store, image_id, mask_png(320, 200, box=(100, 60, 131, 97)))

    canvas.open(image_id)
    canvas.expect_area(31 * 37)
    canvas.set_brush(5)
    canvas.stroke((20.5, 20.5))
    canvas.save()

    expected = stroke_mask([(20.5, 20.5)], 5, width=320, height=200)
    expected[60:97, 100:131] = 1
    assert np.array_equal(canvas.saved_mask(image_id), expected)
    assert label_of(canvas, image_id) == (2, "anomalous", "drawn")


def test_accept_takes_the_models_mask_over(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    with canvas.installation.store.session() as session:
        update_settings(session, canvas.installation.project_id, {"threshold": 0.0, "map_threshold": 0.0})
    canvas.open(image_id)

    canvas.key("a")

    canvas.expect_area(320 * 200)
    assert label_of(canvas, image_id) == (1, "anomalous", "accepted")
    expect(canvas.part("status")).to_have_text("Corrected")


def test_mark_normal_empties_the_mask(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    save_mask(canvas.installation.store, image_id, mask_png(320, 200, box=(100, 60, 131, 97)))
    canvas.open(image_id)

    canvas.key("n")

    canvas.expect_area(0)
    assert label_of(canvas, image_id) == (2, "normal", "marked_normal")


def test_saving_an_empty_mask_says_normal(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    canvas.open(image_id)
    canvas.key("s")
    expect(canvas.part("dialog")).to_contain_text("The mask is empty")
    canvas.part("dialog-cancel").click()
    expect(canvas.part("status")).not_to_have_text("Corrected")
    canvas.key("s")
    canvas.part("dialog-save").click()
    expect(canvas.part("status")).to_have_text("Corrected")
    assert label_of(canvas, image_id)[:2] == (1, "normal")


def test_a_mask_of_nearly_all_is_asked_about(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    save_mask(canvas.installation.store, image_id, mask_png(320, 200, box=(0, 0, 320, 195)))
    canvas.open(image_id)
    canvas.expect_area(320 * 195)
    canvas.set_brush(5)
    canvas.stroke((20.5, 198.5))
    canvas.key("s")
    expect(canvas.part("dialog")).to_contain_text(re.compile(r"marks 97\.\d % of the image"))
    canvas.part("dialog-save").click()
    canvas.expect_dirty(False)
    assert label_of(canvas, image_id)[:2] == (2, "anomalous")


def test_a_save_in_between_is_told_and_either_can_be_kept(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    canvas.open(image_id)
    canvas.stroke((60.5, 60.5))
    painted = int(canvas.root.get_attribute("data-area") or 0)
    mark_normal(canvas.installation.store, image_id, author="Kim")

    canvas.key("s")
    expect(canvas.part("dialog")).to_contain_text("Revision 1 by Kim is newer")
    canvas.part("dialog-cancel").click()
    canvas.expect_dirty(True)
    canvas.key("s")
    canvas.part("dialog-overwrite").click()

    canvas.expect_dirty(False)
    canvas.expect_area(painted)
    assert label_of(canvas, image_id) == (2, "anomalous", "drawn")


def test_loading_the_other_ones_mask_replaces_ones_own(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    canvas.open(image_id)
    canvas.stroke((60.5, 60.5))
    save_mask(canvas.installation.store, image_id, mask_png(320, 200, box=(0, 0, 10, 10)), author="Kim")

    canvas.key("s")
    canvas.part("dialog-reload").click()

    canvas.expect_area(100)
    canvas.expect_dirty(False)


def test_leaving_an_image_with_unsaved_work_asks_first(canvas: CanvasPage) -> None:
    second = canvas.add(seed=2)
    first = canvas.add(seed=1)
    canvas.open(first)
    canvas.stroke((60.5, 60.5))

    canvas.key("ArrowRight")
    expect(canvas.part("dialog")).to_contain_text("not saved yet")
    canvas.part("dialog-cancel").click()
    canvas.expect_open(first)
    canvas.expect_dirty(True)
    canvas.key("ArrowRight")
    canvas.part("dialog-save").click()

    canvas.expect_open(second)
    assert label_of(canvas, first) == (1, "anomalous", "drawn")
    canvas.key("ArrowLeft")
    canvas.expect_open(first)


def test_leaving_the_page_with_unsaved_work_warns(canvas: CanvasPage) -> None:
    canvas.open(canvas.add())
    canvas.stroke((60.5, 60.5))
    asked = []
    canvas.page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))

    canvas.page.goto("about:blank")

    assert asked == ["beforeunload"]


def test_a_new_version_brings_its_map_to_the_open_image_without_a_reload(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    canvas.open(image_id)
    expect(canvas.part("prompt-version")).to_have_text("v1")
    expect(canvas.part("scoring-time")).to_have_text(re.compile(r"^Scored in [\d.]+ (ms|s)$"))
    canvas.stroke((60.5, 60.5))

    activate_copy(canvas.installation)
    score_all(canvas.installation.store, canvas.installation.project_id)

    expect(canvas.part("prompt-version")).to_have_text("v2")
    expect(canvas.part("message")).to_contain_text("prompts v2")
    expect(canvas.part("scoring-time")).to_have_text(re.compile(r"^Scored in [\d.]+ (ms|s), from kept features$"))
    canvas.expect_dirty(True)


def test_a_second_save_follows_the_first_and_one_without_changes_makes_no_revision(canvas: CanvasPage) -> None:
    image_id = canvas.add()
    canvas.open(image_id)
    canvas.set_brush(5)
    canvas.stroke((60.5, 60.5))
    canvas.key("s")
    canvas.stroke((90.5, 60.5))
    canvas.key("s")
    canvas.expect_dirty(False)

    canvas.key("s")

    expect(canvas.part("message")).to_contain_text("Saved already, revision 2")
    assert label_of(canvas, image_id)[0] == 2
    two = stroke_mask([(60.5, 60.5)], 5, width=320, height=200) | stroke_mask([(90.5, 60.5)], 5, width=320, height=200)
    assert np.array_equal(canvas.saved_mask(image_id), two)
