"""Fingers and pens on a page, by Chromium's own input protocol: Playwright has a mouse and a tap only."""

from playwright.sync_api import Page

from tests.webapp.ui.canvas_page import Point


class Touch:
    """Fingers on the page; points are in CSS pixels of the window."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def put(self, *points: Point) -> None:
        """These fingers are down: new ones are put down."""
        self._send("touchStart", points)

    def move(self, *points: Point) -> None:
        self._send("touchMove", points)

    def lift(self) -> None:
        self._send("touchEnd", ())

    def draw(self, *points: Point) -> None:
        """One finger along these points."""
        self.put(points[0])
        for point in points[1:]:
            self.move(point)
        self.lift()

    def _send(self, kind: str, points: tuple[Point, ...]) -> None:
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})


class Pen:
    """A pen on the page."""

    def __init__(self, page: Page) -> None:
        self.session = page.context.new_cdp_session(page)

    def draw(self, *points: Point, force: float = 0.5) -> None:
        self._send("mouseMoved", points[0], 0, force)
        self._send("mousePressed", points[0], 1, force)
        for point in points[1:]:
            self._send("mouseMoved", point, 1, force)
        self._send("mouseReleased", points[-1], 0, force)

    def _send(self, kind: str, point: Point, buttons: int, force: float) -> None:
        event = {"type": kind, "x": point[0], "y": point[1], "buttons": buttons, "force": force, "pointerType": "pen"}
        if kind != "mouseMoved":
            event |= {"button": "left", "clickCount": 1}
        self.session.send("Input.dispatchMouseEvent", event)
