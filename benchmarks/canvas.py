"""The canvas in Chromium: frame times while painting on a large image, and the wait from → to the next image.

`python -m benchmarks.canvas`; needs Chromium (CHROMIUM names it). Painting is measured on noise of 4,000×3,000 px
that is drawn here; going on, on the images of --images, uploaded to an app of its own.
"""

import argparse
import io
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.machine import machine, markdown_table
from benchmarks.served import Served

WIDTH, HEIGHT = 4000, 3000
STROKE_SECONDS = 6.0
DEFAULT_IMAGES = Path(__file__).parents[2] / "shared" / "data" / "kolektor_sdd" / "images"

# Calls `work(share)` once a frame, `share` going from 0 to 1, and gives the frames' times in ms.
_FRAMES = """
window.framesOf = (seconds, work) => new Promise((done) => {
  const times = [];
  let began;
  const frame = (now) => {
    began ??= now;
    times.push(now);
    const share = Math.min(1, (now - began) / (1000 * seconds));
    work(share);
    if (share < 1) requestAnimationFrame(frame);
    else done(times.slice(1).map((time, index) => time - times[index]));
  };
  requestAnimationFrame(frame);
});
window.stage = document.querySelector("[data-testid=stage]");
window.pointer = (name, share) => {
  const box = stage.getBoundingClientRect();
  const angle = 14 * Math.PI * share;
  const reach = 0.1 + 0.3 * share;
  const x = box.left + box.width * (0.5 + reach * Math.cos(angle));
  const y = box.top + box.height * (0.5 + reach * Math.sin(angle));
  const options = { clientX: x, clientY: y, pointerId: 1, pointerType: "mouse", isPrimary: true, bubbles: true };
  const button = name === "pointermove" ? -1 : 0;
  const buttons = name === "pointerup" ? 0 : 1;
  stage.dispatchEvent(new PointerEvent(name, { ...options, button, buttons }));
};
stage.setPointerCapture = () => {};
"""
# A frame that nothing is done in: what the machine can do at best.
_IDLE = "framesOf({seconds}, () => {{}})"
_PAINT = """
(async () => {{
  pointer("pointerdown", 0);
  const times = await framesOf({seconds}, (share) => pointer("pointermove", share));
  pointer("pointerup", 1);
  return times;
}})()
"""
_PAN = """
framesOf({seconds}, (share) => stage.dispatchEvent(new WheelEvent("wheel",
  {{ deltaY: share < 0.5 ? -6 : 6, clientX: 500, clientY: 400, bubbles: true, cancelable: true }})))
"""
# From the key to the frame after the one in which the image was drawn.
_STEP = """
() => new Promise((done) => {
  const root = document.querySelector("[data-testid=mask-canvas]");
  const before = root.dataset.imageId;
  const began = performance.now();
  const look = () => {
    if (root.dataset.imageId === before) setTimeout(look, 0);
    else requestAnimationFrame(() => setTimeout(() => done(performance.now() - began), 0));
  };
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
  look();
})
"""


def main() -> None:
    """Start the app and the browser, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.canvas", description=__doc__)
    parser.add_argument(
        "--images", type=Path, default=DEFAULT_IMAGES, help="folder of PNG or JPEG (default %(default)s)"
    )
    parser.add_argument("--steps", type=int, default=30, help="how often → is pressed (default %(default)s)")
    arguments = parser.parse_args()
    print(f"{machine()}; Chromium without a GPU, window of 1440×900 px\n")
    with tempfile.TemporaryDirectory() as home, Served(Path(home) / "home") as app, chromium() as page:
        files = sorted(arguments.images.glob("*.[pj][np]g"))[: arguments.steps + 1]
        entries = app.upload(files)
        app.wait_until_scored([entry["id"] for entry in entries])
        waits = {words: step_times(page, app, arguments.steps, milliseconds=pause) for words, pause in PAUSES.items()}
        large = Path(home) / "large.png"
        large.write_bytes(noise())
        large_id = app.upload([large])[0]["id"]
        app.wait_until_scored([large_id])
        frames = frame_times(page, app, large_id)
    head = ["", "median ms", "p95 ms", "longest ms", "number"]
    print(f"Frames, image of {WIDTH:,}×{HEIGHT:,} px:\n")
    print(markdown_table(head, [row(words, times) for words, times in frames.items()]))
    print(f"\nFrom → to the next image drawn, {arguments.images.parent.name}:\n")
    print(markdown_table(head, [row(words, times) for words, times in waits.items()]))


PAUSES = {"a second after the one before": 1000, "at once after the one before": 0}


def row(words: str, times: list[float]) -> list[object]:
    """One line of a table."""
    p95 = statistics.quantiles(times, n=20)[-1]
    return [words, f"{statistics.median(times):.1f}", f"{p95:.1f}", f"{max(times):.1f}", len(times)]


@contextmanager
def chromium() -> Iterator[Page]:
    """A page in a browser of its own."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser.new_page(viewport={"width": 1440, "height": 900})
        browser.close()


def noise() -> bytes:
    """A PNG of the large image: coarse noise, so that its map has regions."""
    values = np.random.default_rng(0).integers(0, 256, (HEIGHT // 100, WIDTH // 100, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC).save(buffer, "PNG")
    return buffer.getvalue()


def opened(page: Page, app: Served, image_id: int) -> None:
    """Load the page with this image open."""
    page.goto("about:blank")
    page.goto(f"http://127.0.0.1:{app.port}/#image={image_id}")
    page.wait_for_selector(f"[data-testid=mask-canvas][data-image-id='{image_id}']")
    page.wait_for_timeout(1500)


def frame_times(page: Page, app: Served, image_id: int) -> dict[str, list[float]]:
    """What is done → the times of its frames in ms."""
    opened(page, app, image_id)
    page.evaluate(_FRAMES)
    measured: dict[str, list[float]] = {"nothing is done": _run(page, _IDLE)}
    for diameter in (30, 200):
        _set_brush(page, diameter)
        measured[f"painting, brush {diameter} px, whole image in view"] = _run(page, _PAINT)
    page.keyboard.press("1")
    measured["painting, brush 200 px, at 100 %"] = _run(page, _PAINT)
    page.keyboard.press("f")
    measured["zooming in and out"] = _run(page, _PAN)
    return measured


def _set_brush(page: Page, diameter: int) -> None:
    slider = "[data-testid=brush-size]"
    position = 100 * np.log(diameter) / np.log(400)
    page.eval_on_selector(slider, "(e, value) => { e.value = value; e.dispatchEvent(new Event('input')) }", position)


def _run(page: Page, script: str) -> list[float]:
    times: Any = page.evaluate(script.format(seconds=STROKE_SECONDS))
    return [float(time) for time in times]


def step_times(page: Page, app: Served, steps: int, *, milliseconds: int) -> list[float]:
    """From each press of → to the next image drawn, in ms, with this pause between two presses."""
    newest = app.client.get("/images", params={"limit": 1}).raise_for_status().json()["items"][0]["id"]
    opened(page, app, newest)
    times = []
    for _ in range(steps):
        times.append(float(page.evaluate(_STEP)))
        page.wait_for_timeout(milliseconds)
    return times


if __name__ == "__main__":
    main()
