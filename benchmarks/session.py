"""A hundred images cleared in the page, by a script that does what an inspector does: `python -m benchmarks.session`.

It works through what to correct next: where the label and the verdict agree, it accepts (A) or says normal (N); where
the model missed a flaw or drew it badly, it paints the truth's bounding box with the rectangle (R, a drag, S). Counted
are clicks, drags and keys; the wait is from the key that saves to the next image drawn. Needs Chromium and an image set
with masks (`--data`).
"""

import argparse
import io
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from benchmarks.canvas import chromium
from benchmarks.machine import machine, markdown_table
from benchmarks.sample_data import SAMPLE_DATA, Sample, read_samples
from benchmarks.served import Served

# What a person needs to look at an image and to make up their mind, as the model of the keystroke level has it
# (Card, Moran and Newell, 1980): mental preparation 1.35 s, a key 0.28 s, pointing 1.1 s, a press of the button 0.2 s.
MENTAL, KEY, POINT, CLICK = 1.35, 0.28, 1.1, 0.2
# A mask that covers this share of the truth, and is not larger than it by more than this factor, is good enough.
COVERED, TOO_LARGE = 0.5, 4.0

_NEXT_DRAWN = """
(key) => new Promise((done) => {
  const root = document.querySelector("[data-testid=mask-canvas]");
  const before = root.dataset.imageId;
  const began = performance.now();
  const look = () => {
    const drawn = root.dataset.imageId !== before && root.dataset.busy !== "true";
    if (drawn) requestAnimationFrame(() => setTimeout(() => done(performance.now() - began), 0));
    else if (performance.now() - began > 30000) done(-1);
    else setTimeout(look, 0);
  };
  document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  look();
})
"""


@dataclass
class Tally:
    """What it took: of each image its wait in s; and counts over all."""

    waits: list[float] = field(default_factory=list)
    keys: int = 0
    clicks: int = 0
    drags: int = 0
    decided: dict[str, int] = field(default_factory=dict)

    def hands(self) -> float:
        """Seconds that a person would need besides waiting, by the keystroke-level model."""
        moves = self.drags * (2 * POINT + CLICK) + self.clicks * (POINT + CLICK)
        return len(self.waits) * MENTAL + self.keys * KEY + moves


def main() -> None:
    """Start the app and the browser, work, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.session", description=__doc__)
    parser.add_argument("--data", default="kolektor_sdd", help=f"set in {SAMPLE_DATA} (default: %(default)s)")
    parser.add_argument("--images", type=int, default=100, help="how many (default: %(default)s)")
    arguments = parser.parse_args()
    samples = evenly(read_samples(arguments.data), arguments.images)
    with tempfile.TemporaryDirectory() as home, Served(Path(home) / "home") as app, chromium() as page:
        entries = app.upload([sample.image for sample in samples])
        truths = {entry["id"]: sample for entry, sample in zip(entries, samples, strict=True)}
        app.wait_until_scored(list(truths))
        began = time.perf_counter()
        tally = work(page, app, truths)
        elapsed = time.perf_counter() - began
    print(f"{machine()}; Chromium without a GPU, embedded backbone, {len(truths)} images of {arguments.data}\n")
    print(markdown_table(["", ""], table(tally, elapsed)))


def evenly(samples: list[Sample], count: int) -> list[Sample]:
    """So many of them, anomalous ones first as far as half of them, in a fixed order."""
    anomalous = [sample for sample in samples if sample.label][: count // 2]
    return anomalous + [sample for sample in samples if not sample.label][: count - len(anomalous)]


def work(page: Page, app: Served, truths: dict[int, Sample]) -> Tally:
    """Decide on every image of the queue."""
    tally = Tally()
    page.goto(f"http://127.0.0.1:{app.port}/")
    page.wait_for_selector("[data-testid=mask-canvas][data-image-id]:not([data-image-id=''])")
    page.get_by_test_id("go-on").check()
    page.get_by_test_id("filmstrip-order").select_option("uncertain")
    page.wait_for_timeout(1500)
    tally.clicks += 2
    for number in range(len(truths)):
        key = decide(page, app, truths, tally)
        tally.keys += 1
        last = number == len(truths) - 1
        if last:
            page.keyboard.press(key)
            page.wait_for_function("document.querySelector('[data-testid=filmstrip-count]').textContent.length > 0")
            break
        wait = float(page.evaluate(_NEXT_DRAWN, key)) / 1000
        if wait < 0:
            raise TimeoutError(f"image {number + 2} did not come within 30 s")
        tally.waits.append(wait)
        page.wait_for_timeout(1000 * MENTAL)  # meanwhile a person looks, and the page fetches ahead
    return tally


def decide(page: Page, app: Served, truths: dict[int, Sample], tally: Tally) -> str:
    """What the open image needs, done except for the last key, which is returned."""
    image_id = int(page.get_attribute("[data-testid=mask-canvas]", "data-image-id") or 0)
    sample, image = truths[image_id], app.image(image_id)
    if not sample.label:
        words, key = "normal (N)", "n"
    elif image["verdict"] == "anomalous" and good_enough(app, sample, image):
        words, key = "accepted (A)", "a"
    else:
        words, key = "drawn (R, drag, S)", "s"
        page.keyboard.press("r")
        drag(page, box_of(sample, image))
        tally.keys += 1
        tally.drags += 1
    tally.decided[words] = tally.decided.get(words, 0) + 1
    return key


def good_enough(app: Served, sample: Sample, image: dict[str, Any]) -> bool:
    """Whether the map at the project's threshold shows the flaw, and not much else."""
    answer = app.client.get(f"/images/{image['id']}/map", params={"format": "npy"}).raise_for_status()
    found = np.load(io.BytesIO(answer.content)) >= image["map_threshold"]
    truth = sample.truth(image["height"], image["width"]) > 0
    return bool((found & truth).sum() >= COVERED * truth.sum() and found.sum() <= TOO_LARGE * truth.sum())


def box_of(sample: Sample, image: dict[str, Any]) -> tuple[int, int, int, int]:
    """The flaw's bounding box: left, top, right, bottom, in pixels of the image."""
    rows, columns = np.nonzero(sample.truth(image["height"], image["width"]))
    return int(columns.min()), int(rows.min()), int(columns.max()), int(rows.max())


def drag(page: Page, box: tuple[int, int, int, int]) -> None:
    """From one corner to the other, over the stage."""
    stage = page.get_by_test_id("stage")
    frame = stage.bounding_box()
    scale, x, y = (float(stage.get_attribute(f"data-{name}") or 0) for name in ("scale", "x", "y"))
    assert frame is not None
    left, top, right, bottom = box
    page.mouse.move(frame["x"] + x + (left + 0.5) * scale, frame["y"] + y + (top + 0.5) * scale)
    page.mouse.down()
    page.mouse.move(frame["x"] + x + (right + 0.5) * scale, frame["y"] + y + (bottom + 0.5) * scale, steps=4)
    page.mouse.up()


def table(tally: Tally, elapsed: float) -> list[list[object]]:
    """The rows that are printed."""
    waits, images = tally.waits, len(tally.waits) + 1
    human = tally.hands() + sum(waits)
    return [
        ["decided", ", ".join(f"{count} {words}" for words, count in sorted(tally.decided.items()))],
        ["keys an image", f"{tally.keys / images:.2f}"],
        ["clicks and drags an image", f"{(tally.clicks + tally.drags) / images:.2f}"],
        ["waiting an image, median", f"{statistics.median(waits):.3f} s"],
        ["waiting an image, 95th percentile", f"{statistics.quantiles(waits, n=20)[-1]:.3f} s"],
        ["waiting, all", f"{sum(waits):.1f} s"],
        ["the script's own time, with a pause of 1.35 s an image", f"{elapsed / 60:.1f} min"],
        ["a person's time by the keystroke-level model, waiting included", f"{human / 60:.1f} min"],
    ]


if __name__ == "__main__":
    main()
