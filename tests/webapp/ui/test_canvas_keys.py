import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.webapp.ui.canvas_page import CanvasPage, stroke_mask
from tests.webapp.ui.conftest import Site, open_page


def test_the_help_sheet_lists_the_keys_and_closes_by_escape(shared_canvas: CanvasPage) -> None:
    shared_canvas.open_new()
    shared_canvas.key("?")
    sheet = shared_canvas.part("help-sheet")
    expect(sheet).to_be_visible()
    listed = set(sheet.locator("kbd").all_inner_texts())
    assert listed >= {*"BERPG[]ZSANFHMOX18+−→←?"}

    shared_canvas.key("n")
    shared_canvas.key("Escape")

    expect(sheet).to_be_hidden()
    expect(shared_canvas.part("status")).to_have_text("To review")


def test_a_tool_is_chosen_by_its_key_and_said_to_be_pressed(shared_canvas: CanvasPage) -> None:
    shared_canvas.open_new()
    pressed = shared_canvas.page.locator(".al-tool[data-testid^=tool-][aria-pressed=true]")
    for key, tool in {"e": "eraser", "r": "rectangle", "p": "polygon", "g": "fill", "b": "brush"}.items():
        shared_canvas.key(key)
        expect(pressed).to_have_count(1)
        expect(pressed).to_have_attribute("data-testid", f"tool-{tool}")


def test_a_korean_keyboard_has_the_same_keys(shared_canvas: CanvasPage) -> None:
    shared_canvas.open_new()
    shared_canvas.page.evaluate(
        "document.dispatchEvent(new KeyboardEvent('keydown', { key: 'ㄱ', code: 'KeyR', bubbles: true }))"
    )
    expect(shared_canvas.part("tool-rectangle")).to_have_attribute("aria-pressed", "true")


def cross_at(canvas: CanvasPage) -> tuple[float, float]:
    """The image pixel that the readout names, its centre."""
    canvas.page.wait_for_function("document.querySelector('[data-testid=pointer]').textContent")
    x, y = canvas.part("pointer").inner_text().split(" ·")[0].split(", ")
    return int(x) + 0.5, int(y) + 0.5


def test_a_mask_is_painted_and_saved_without_a_mouse(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    canvas.set_brush(9)
    canvas.part("stage").focus()
    canvas.key("Shift+ArrowDown")
    path = [cross_at(canvas)]

    canvas.key("x")
    for arrow in ("ArrowRight", "ArrowRight", "ArrowUp"):
        canvas.key(f"Shift+{arrow}")
        expect(canvas.part("pointer")).not_to_contain_text(f"{int(path[-1][0])}, {int(path[-1][1])} ")
        path.append(cross_at(canvas))
    canvas.key("x")
    canvas.key("Shift+ArrowLeft")
    canvas.save()

    assert len(set(path)) == 4
    assert np.array_equal(canvas.saved_mask(image_id), stroke_mask(path, 9, width=320, height=200))


def test_a_polygon_and_a_rectangle_too(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    canvas.open_new()
    canvas.key("r")
    canvas.key("x")
    for _ in range(4):
        canvas.key("Shift+ArrowRight")
    canvas.key("Shift+ArrowDown")
    canvas.key("x")
    rectangle = int(canvas.root.get_attribute("data-area") or 0)
    assert rectangle > 0
    canvas.key("p")
    for arrow in ("ArrowUp", "ArrowUp", "ArrowLeft"):
        canvas.key("x")
        for _ in range(5):
            canvas.key(f"Shift+{arrow}")
    canvas.key("x")
    canvas.key("Enter")
    assert int(canvas.root.get_attribute("data-area") or 0) > rectangle


def test_every_control_has_a_name_can_be_reached_and_shows_its_focus(shared_canvas: CanvasPage) -> None:
    shared_canvas.open_new()
    shared_canvas.stroke((60.5, 60.5))
    shared_canvas.part("look").locator("summary").click()
    shared_canvas.part("tool-brush").focus()
    reached, unnamed, unseen = 0, [], []
    for _ in range(60):
        found = shared_canvas.page.evaluate(
            """() => {
                const { activeElement: e } = document;
                const name = e.ariaLabel || e.innerText || e.closest("label")?.innerText || "";
                const style = getComputedStyle(e);
                return { inside: !!e.closest(".al-canvas"), id: e.dataset.testid ?? e.tagName, name: name.trim(),
                         focus: style.outlineStyle !== "none" && style.outlineWidth !== "0px" };
            }"""
        )
        if not found["inside"]:
            break
        reached += 1
        unnamed += [] if found["name"] else [found["id"]]
        unseen += [] if found["focus"] or reached == 1 else [found["id"]]
        shared_canvas.key("Tab")
    assert reached > 25
    assert not unnamed
    assert not unseen


@pytest.fixture
def narrow(browser: Browser):
    yield from open_page(browser, 360, 740, has_touch=True)


def test_at_360_px_everything_fits_and_can_be_used(shared_site: Site, narrow: Page) -> None:
    canvas = CanvasPage(shared_site.url, shared_site.installation, narrow)
    canvas.open_new()
    canvas.part("tool-rectangle").tap()
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 360
    for name in ("tool-fill", "undo", "help", "save", "accept", "mark-normal", "next", "start-from-map"):
        canvas.part(name).scroll_into_view_if_needed()
        box = canvas.part(name).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 360, name
    canvas.part("mark-normal").tap()
    expect(canvas.part("status")).to_have_text("Corrected")
    canvas.part("help").tap()
    sheet = canvas.part("help-sheet").bounding_box()
    assert sheet is not None and sheet["width"] <= 360
