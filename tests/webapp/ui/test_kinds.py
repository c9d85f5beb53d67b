"""Kinds of defect on the canvas and in the book of Settings: by mouse, by keyboard, read aloud."""

from playwright.sync_api import Page, expect

from db.defects.kinds import add_kind
from db.defects.naming import named_regions
from db.images.annotations import newest_annotation
from tests.webapp.ui.canvas_page import CanvasPage
from tests.webapp.ui.conftest import Site
from tests.workers.making import correct
from workers.defects.naming import Naming, name_defects


def kinds(canvas: CanvasPage, **keys: str | None) -> dict[str, int]:
    """The book: name → id; each with this key."""
    with canvas.installation.store.session() as session:
        project_id = canvas.installation.project_id
        return {name: add_kind(session, project_id, name, key=key).id for name, key in keys.items()}


def named(canvas: CanvasPage, image_id: int) -> tuple[list[tuple[int, int]], int]:
    """Kind and area of each region of the newest revision, the largest first, and its number."""
    with canvas.installation.store.session(read_only=True) as session:
        newest = newest_annotation(session, image_id)
        assert newest is not None
        found = named_regions(session, [newest.id]).get(newest.id, [])
        return [(one.kind_id, one.area) for one in found], newest.revision


def paint_two(canvas: CanvasPage) -> None:
    """A box of 40×20 px and one of 10×10 px."""
    canvas.part("tool-rectangle").click()
    canvas.stroke((20.5, 20.5), (59.5, 39.5))
    canvas.stroke((200.5, 100.5), (209.5, 109.5))


def test_each_region_gets_a_kind_by_key_or_click_with_the_save_and_after_it(canvas: CanvasPage, keep) -> None:
    ids = kinds(canvas, Dent="2", Rust=None)
    image_id = canvas.open_new()
    expect(canvas.part("kind-region")).to_contain_text("Paint a defect")
    paint_two(canvas)
    expect(canvas.part("kind-region")).to_have_text("Region 1 of 2: No kind")
    canvas.key("2")
    expect(canvas.part("kind-region")).to_have_text("Region 2 of 2: No kind")  # the next one that has none
    keep(canvas.page, "kinds")
    canvas.save()
    expect(canvas.part("region-mark").first).to_have_attribute("aria-label", "Region 1: Dent")
    assert named(canvas, image_id) == ([(ids["Dent"], 800)], 1)
    canvas.part("kind-chip").filter(has_text="Rust").click()
    expect(canvas.part("message")).to_contain_text("Saved with the correction")
    assert named(canvas, image_id) == ([(ids["Dent"], 800), (ids["Rust"], 100)], 1)
    canvas.part("region-mark").first.click()
    expect(canvas.part("kind-chip").filter(has_text="Dent")).to_have_attribute("aria-pressed", "true")
    canvas.key("k")
    expect(canvas.part("kind-region")).to_have_text("Region 2 of 2: Rust")
    canvas.open(image_id)
    expect(canvas.part("region-mark").nth(1)).to_have_attribute("aria-label", "Region 2: Rust")


def test_an_image_without_a_mask_gets_one_as_a_whole_and_a_comment(canvas: CanvasPage) -> None:
    ids = kinds(canvas, Dent="2")
    image_id = canvas.open_new()
    expect(canvas.part("comment")).to_be_hidden()
    canvas.key("d")
    expect(canvas.part("kind-region")).to_have_text("Image as a whole: No kind")
    canvas.key("2")
    expect(canvas.part("kind-region")).to_have_text("Image as a whole: Dent")
    expect(canvas.part("message")).to_contain_text("Saved with the correction")
    canvas.part("comment").fill("bent at the rim")
    canvas.part("comment").press("Enter")
    canvas.page.wait_for_function(
        "id => fetch(`/api/v1/images/${id}`).then(r => r.json()).then(i => i.annotation.comment === 'bent at the rim')",
        arg=image_id,
    )
    assert named(canvas, image_id) == ([(ids["Dent"], 0)], 1)
    canvas.open(image_id)
    expect(canvas.part("comment")).to_have_value("bent at the rim")


def test_without_a_book_there_is_no_row(canvas: CanvasPage) -> None:
    canvas.open_new()
    expect(canvas.part("kinds")).to_be_hidden()


def test_the_book_is_written_and_counts_what_corrections_name(site: Site, page: Page, keep) -> None:
    [image] = correct(site.installation, 1)
    page.goto(site.url)
    page.locator("#tab-settings-button").click()
    page.get_by_test_id("new-kind").click()
    page.get_by_test_id("kind-name").fill("Dent")
    page.get_by_test_id("kind-key").select_option("2")
    page.get_by_test_id("kind-description").fill("pressed in, no colour")
    page.get_by_test_id("kind-examples").fill("99")
    page.get_by_test_id("kind-save").click()
    expect(page.get_by_test_id("kind-error")).to_contain_text("The project has no image 99")
    page.get_by_test_id("kind-examples").fill(str(image.image_id))
    page.get_by_test_id("kind-save").click()
    row = page.get_by_test_id("kind-row")
    expect(row).to_contain_text("pressed in, no colour")
    expect(row.get_by_test_id("kind-example")).to_have_count(1)

    with site.installation.store.session(read_only=True) as session:
        newest = newest_annotation(session, image.image_id)
        assert newest is not None
    name_defects(site.installation.store, image.image_id, [Naming(1, 12, 30)], None)
    expect(page.get_by_role("row", name="Dent").get_by_role("cell").nth(0)).to_have_text("1")
    expect(row).to_contain_text(f"{newest.area} px")
    keep(page, "defect-book")
    page.get_by_test_id("delete-kind").click()
    expect(page.get_by_test_id("defects-error")).to_contain_text("so it can't be deleted")
    page.get_by_test_id("edit-kind").click()
    page.get_by_test_id("kind-name").fill("Deep dent")
    page.get_by_test_id("kind-save").click()
    expect(row).to_have_attribute("data-name", "Deep dent")
    with page.expect_download() as started:
        page.get_by_test_id("defects-csv").click()
    assert "Deep dent,1,1," in started.value.path().read_text("utf-8-sig")
