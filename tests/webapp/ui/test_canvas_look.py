import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.pictures import picture
from tests.webapp.ui.canvas_page import CanvasPage


def shot(canvas: CanvasPage) -> np.ndarray:
    """(h, w, 3): the stage as it is seen."""
    canvas.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return np.asarray(Image.open(io.BytesIO(canvas.part("stage").screenshot())).convert("RGB")).astype(int)


def test_at_800_percent_every_pixel_is_a_square_of_its_own_colour(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    seed = 77
    canvas.open(canvas.add(seed=seed))
    canvas.set_slider("opacity", 0)
    canvas.set_slider("map-threshold", 1)
    canvas.key("8")
    expect(canvas.part("zoom-level")).to_have_text("800 %")
    canvas.part("go-on").focus()
    canvas.page.mouse.move(5, 5)

    seen = shot(canvas)

    stage = canvas.part("stage")
    x, y = (int(float(stage.get_attribute(f"data-{axis}") or "nan")) for axis in "xy")
    pixels = np.asarray(picture(seed, width=320, height=200)).astype(int)
    left, top = -x // 8 + 2, -y // 8 + 2
    square = seen[y + 8 * top : y + 8 * top + 160, x + 8 * left : x + 8 * left + 160]
    assert np.array_equal(square, pixels[top : top + 20, left : left + 20].repeat(8, 0).repeat(8, 1))


def test_the_middle_button_pans(shared_canvas: CanvasPage) -> None:
    shared_canvas.open_new()
    x, y = shared_canvas.at((100, 100))
    mouse = shared_canvas.page.mouse
    mouse.move(x, y)
    mouse.down(button="middle")
    mouse.move(x + 40, y - 25)
    mouse.up(button="middle")
    assert shared_canvas.at((100, 100)) == (x + 40, y - 25)
    shared_canvas.expect_dirty(False)


def test_while_before_is_held_the_image_is_seen_alone(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    canvas.open_new()
    canvas.stroke((60.5, 60.5), (120.5, 90.5))
    canvas.part("before").hover()
    with_mask = shot(canvas)
    keyboard, mouse = canvas.page.keyboard, canvas.page.mouse

    for press, release in (
        (lambda: keyboard.down("h"), lambda: keyboard.up("h")),
        (mouse.down, mouse.up),
    ):
        press()
        alone = shot(canvas)
        release()
        assert np.abs(alone - with_mask).max() > 50
        assert np.array_equal(shot(canvas), with_mask)
    layers = canvas.part("stage").locator("canvas")
    assert [layer.get_attribute("data-layer") for layer in layers.all()] == ["image", "heat", "outline", "mask"]


def test_brightness_and_contrast_change_the_image_and_are_reset(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    canvas.open_new()
    canvas.set_slider("opacity", 0)
    canvas.set_slider("map-threshold", 1)
    canvas.part("look").locator("summary").click()
    usual = shot(canvas)
    canvas.set_slider("brightness", 150)
    assert shot(canvas).mean() > 1.1 * usual.mean()
    canvas.set_slider("brightness", 100)
    canvas.set_slider("contrast", 50)
    assert shot(canvas).std() < 0.8 * usual.std()
    canvas.part("light-reset").click()
    assert np.array_equal(shot(canvas), usual)


def test_the_chosen_colours_are_those_of_the_next_visit(shared_canvas: CanvasPage) -> None:
    canvas = shared_canvas
    image_id = canvas.open_new()
    canvas.part("look").locator("summary").click()
    inferno = canvas.part("legend-bar").get_attribute("style")
    canvas.part("colour-map").select_option("cividis")
    canvas.part("mask-colour").select_option("magenta")
    cividis = canvas.part("legend-bar").get_attribute("style")
    assert cividis != inferno

    canvas.open(image_id)

    expect(canvas.part("colour-map")).to_have_value("cividis")
    expect(canvas.part("mask-colour")).to_have_value("magenta")
    assert canvas.part("legend-bar").get_attribute("style") == cividis


# What people with one kind of cones missing see of a linear RGB colour (Machado, Oliveira, Fernandes 2009, severity 1).
EYES = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
TO_CONES = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
]
TO_LAB = [
    [0.2104542553, 0.793617785, -0.0040720468],
    [1.9779984951, -2.428592205, 0.4505937099],
    [0.0259040371, 0.7827717662, -0.808675766],
]


def oklab(rgb: np.ndarray, eye: str) -> np.ndarray:
    """(n, 3) 8-bit sRGB → lightness 0–1, and two axes of hue, as this eye tells them apart."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(EYES[eye]), 0, 1)
    return np.cbrt(seen @ np.transpose(TO_CONES)) @ np.transpose(TO_LAB)


@pytest.fixture(scope="module")
def colours(browser) -> dict:
    """Map name → its 256 colours, and the mask's colour on it, from the page's own code."""
    with open("webapp/ui/mask_canvas/colours.js") as file:
        code = file.read().replace("export ", "")
    page = browser.new_page()
    page.add_script_tag(content=code)
    found = page.evaluate(
        """Object.fromEntries(Object.keys(COLOUR_MAPS).map((name) => [name, {
            map: Array.from(colourTable(name), (word) => [word & 255, (word >> 8) & 255, (word >> 16) & 255]),
            mask: channels(MASK_COLOURS[MASK_COLOUR_ON[name]]),
        }]))"""
    )
    page.close()
    return found


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", ["inferno", "magma", "viridis", "cividis"])
def test_higher_map_values_are_lighter_and_the_mask_stands_out_for_every_eye(colours, name: str, eye: str) -> None:
    lightness = oklab(np.array(colours[name]["map"]), eye)
    mask = oklab(np.array([colours[name]["mask"]]), eye)
    # 8-bit colours step a little; over any sixteenth of the range the map gets lighter.
    assert (lightness[16:, 0] > lightness[:-16, 0]).all()
    # 0.02 is what people just notice in OKLab.
    assert np.linalg.norm(lightness - mask, axis=1).min() > 0.1


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_page_follows_the_systems_dark_and_light(shared_canvas: CanvasPage, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    shared_canvas.open_new()
    background = page.locator(".al-side").evaluate("e => getComputedStyle(e).backgroundColor")
    red = int(background.removeprefix("rgb(").split(",")[0])
    assert (red < 60) if scheme == "dark" else (red > 200)
