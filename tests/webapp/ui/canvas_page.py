"""The canvas as a person uses it: in pixels of the image, through mouse, keys and buttons."""

import itertools
import math

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Locator, Page, expect

from db.images.annotations import newest_annotation
from engine.images.mask_files import decode_mask
from tests.conftest import Installation
from tests.pictures import png
from tests.workers.making import score_all
from workers.images.intake import add_upload

_SEEDS = itertools.count(1000)

Mask = npt.NDArray[np.uint8]
Point = tuple[float, float]


class CanvasPage:
    """One browser page on one installation."""

    def __init__(self, url: str, installation: Installation, page: Page) -> None:
        self.url, self.installation, self.page = url, installation, page

    def add(self, *, seed: int = 0, width: int = 320, height: int = 200, score: bool = True) -> int:
        """Put a picture into the database, scored; returns its id."""
        store, project_id = self.installation.store, self.installation.project_id
        data = png(seed, width=width, height=height)
        image_id = add_upload(store, project_id, f"picture-{seed}.png", data).image_id
        if score:
            score_all(store, project_id)
        return image_id

    def add_new(self, *, width: int = 320, height: int = 200) -> int:
        """A picture that no other test has."""
        return self.add(seed=next(_SEEDS), width=width, height=height)

    def open_new(self, *, width: int = 320, height: int = 200) -> int:
        """The same, opened."""
        image_id = self.add_new(width=width, height=height)
        self.open(image_id)
        return image_id

    def open(self, image_id: int) -> None:
        """Load the page with this image open."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.url}/#image={image_id}")
        self.expect_open(image_id)

    def show(self, image_id: int) -> None:
        """Go on to an image that the filmstrip shows, without loading the page anew."""
        self.page.locator(f"[data-testid=filmstrip-item][data-id='{image_id}']").click()
        self.expect_open(image_id)

    def expect_open(self, image_id: int) -> None:
        expect(self.root).to_have_attribute("data-image-id", str(image_id))

    @property
    def root(self) -> Locator:
        return self.part("mask-canvas")

    def part(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def at(self, point: Point) -> Point:
        """Where an image point lies in the window, in CSS pixels."""
        stage = self.part("stage")
        box = stage.bounding_box()
        assert box is not None
        scale, x, y = (float(stage.get_attribute(f"data-{name}") or "nan") for name in ("scale", "x", "y"))
        return box["x"] + x + point[0] * scale, box["y"] + y + point[1] * scale

    def click(self, point: Point) -> None:
        self.page.mouse.click(*self.at(point))

    def stroke(self, *points: Point) -> None:
        """Press at the first point, move straight to each of the others, release."""
        self.page.mouse.move(*self.at(points[0]))
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*self.at(point))
        self.page.mouse.up()

    def set_slider(self, name: str, value: float) -> None:
        self.part(name).evaluate("(e, value) => { e.value = value; e.dispatchEvent(new Event('input')) }", value)

    def set_brush(self, diameter: int) -> None:
        # The slider is geometric: 0–100 → 1–400 px.
        self.set_slider("brush-size", 100 * math.log(diameter) / math.log(400))
        expect(self.part("brush-size-value")).to_have_text(f"{diameter} px")

    def key(self, key: str) -> None:
        self.page.keyboard.press(key)

    def save(self) -> None:
        """Save by key, and wait until it is."""
        self.key("s")
        expect(self.part("message")).to_contain_text("Saved")

    def expect_area(self, area: int) -> None:
        expect(self.root).to_have_attribute("data-area", str(area))

    def expect_dirty(self, dirty: bool) -> None:
        expect(self.root).to_have_attribute("data-dirty", str(dirty).lower())

    def saved_mask(self, image_id: int) -> Mask:
        """(H, W) of 0 and 1, from the blob that the newest annotation in the database names."""
        store = self.installation.store
        with store.session(read_only=True) as session:
            annotation = newest_annotation(session, image_id)
            assert annotation is not None
            width, height = annotation.image.width, annotation.image.height
            key, area = annotation.mask_blob_key, annotation.area
        mask = decode_mask(store.blobs.get(key), width=width, height=height) if key else np.zeros((height, width), "u1")
        assert area == mask.sum()
        return mask


def stroke_mask(points: list[Point], diameter: int, *, width: int, height: int) -> Mask:
    """What a round brush covers: pixels whose centre is within diameter / 2 of the line through the points.

    Points are snapped as the canvas says: to pixel centres for odd diameters, to pixel corners for even ones.
    """
    y, x = np.mgrid[:height, :width] + 0.5
    covered = np.zeros((height, width), dtype=bool)
    snapped = [snap(point, diameter) for point in points]
    for (ax, ay), (bx, by) in zip(snapped, snapped[1:] or snapped, strict=False):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0, 1) if length else 0.0
        distance = np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay))
        covered |= distance <= diameter / 2 + 1e-9
    return covered.astype(np.uint8)


def snap(point: Point, diameter: int) -> Point:
    """Where the brush sits when the pointer is at this point of the image."""
    if diameter % 2:
        return math.floor(point[0]) + 0.5, math.floor(point[1]) + 0.5
    return math.floor(point[0] + 0.5), math.floor(point[1] + 0.5)


def polygon_mask(points: list[Point], *, width: int, height: int) -> Mask:
    """Pixels whose centre lies inside the outline, by the even-odd rule: a ray to the right crosses it an odd time."""
    y, x = np.mgrid[:height, :width] + 0.5
    inside = np.zeros((height, width), dtype=bool)
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1], strict=True):
        if ay != by:
            inside ^= ((ay <= y) != (by <= y)) & (x < ax + (y - ay) / (by - ay) * (bx - ax))
    return inside.astype(np.uint8)
