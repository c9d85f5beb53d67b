"""Real photographs to choose the embedded backbone by: `python -m benchmarks.development_sets CLONES OUT`.

CLONES holds clones of public repositories, each under the name that `MAKERS` gives; a fixed sample of each becomes a
folder of `images/`, `masks/` and `index.csv` in OUT, which `benchmarks.embedded --sets` reads (SAMPLE_DATA_DIR=OUT):

* `magnetic_tile`: github.com/abin24/Magnetic-tile-defect-datasets. (magnetic tiles, five kinds of defect, masks)
* `deep_pcb`: github.com/tangsanli5201/DeepPCB (bare boards, boxes in place of masks)
* `neu_det`: github.com/siddhartamukherjee/NEU-DET-Steel-Surface-Defect-Detection (steel, boxes; no normal images)
* `elpv`: github.com/zae-bayern/elpv-dataset (solar cells, a label for the image alone)
"""

import argparse
import csv
import random
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

_TILES_OF_A_KIND, _WHOLE_TILES = 32, 150
_BOARDS, _STEELS_OF_A_KIND, _CELLS = 100, 45, 120


@dataclass(frozen=True)
class Found:
    """An image of a clone; `mask` (L, 255 where anomalous) is None where nothing is, or where nobody marked it."""

    path: Path
    label: int
    mask: Image.Image | None = None


def magnetic_tile(clone: Path) -> Iterator[Found]:
    """32 of each of five kinds of defect, 150 whole tiles."""
    for kind in ("Blowhole", "Break", "Crack", "Fray", "Uneven"):
        for path in _some(clone.glob(f"MT_{kind}/Imgs/*.jpg"), _TILES_OF_A_KIND):
            mask = Image.open(path.with_suffix(".png")).convert("L").point(lambda grey: 255 * (grey > 127))
            if mask.getbbox():
                yield Found(path, 1, mask)
    yield from (Found(path, 0) for path in _some(clone.glob("MT_Free/Imgs/*.jpg"), _WHOLE_TILES))


def deep_pcb(clone: Path) -> Iterator[Found]:
    """100 boards with defects, 100 other boards' templates."""
    boards = _some(clone.glob("PCBData/group*/*/*_test.jpg"), 2 * _BOARDS)
    for path in boards[:_BOARDS]:
        folder, name = path.parent, path.name.replace("_test.jpg", ".txt")
        lines = (folder.with_name(f"{folder.name}_not") / name).read_text().splitlines()
        rows = [[int(number) for number in re.split("[ ,]+", line.strip())] for line in lines if line.strip()]
        yield Found(path, 1, _boxes(path, [row[:4] for row in rows]))
    yield from (Found(path.with_name(path.name.replace("_test", "_temp")), 0) for path in boards[_BOARDS:])


def neu_det(clone: Path) -> Iterator[Found]:
    """45 of each of four kinds whose boxes are not the whole image."""
    corners = r"<xmin>(\d+)</xmin>\s*<ymin>(\d+)</ymin>\s*<xmax>(\d+)</xmax>\s*<ymax>(\d+)</ymax>"
    for kind in ("inclusion", "scratches", "patches", "pitted_surface"):
        for path in _some(clone.glob(f"IMAGES/{kind}_*.jpg"), _STEELS_OF_A_KIND):
            told = (clone / "ANNOTATIONS" / path.name).with_suffix(".xml").read_text()
            yield Found(path, 1, _boxes(path, [[int(number) for number in box] for box in re.findall(corners, told)]))


def elpv(clone: Path) -> Iterator[Found]:
    """120 cells that surely are whole, 120 that surely are not."""
    data = clone / "src" / "elpv_dataset" / "data"
    rows = [line.split() for line in (data / "labels.csv").read_text().splitlines()]
    for label in (0, 1):
        cells = (data / name for name, defective, _ in rows if float(defective) == label)
        yield from (Found(path, label) for path in _some(cells, _CELLS))


MAKERS: dict[str, Callable[[Path], Iterator[Found]]] = {
    f.__name__: f for f in (magnetic_tile, deep_pcb, neu_det, elpv)
}  # fmt: skip


def main() -> None:
    """Make a folder of each set whose clone is there."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.development_sets",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clones", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    for name, find in MAKERS.items():
        if not (arguments.clones / name).is_dir():
            print(f"{name}: left out, there is no {arguments.clones / name}")
            continue
        count = write_set(arguments.out / name, list(find(arguments.clones / name)))
        print(f"{name}: {count} images")


def write_set(folder: Path, found: list[Found]) -> int:
    """Copy images and masks to `folder` and list them in its index.csv; returns how many there are."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    with (folder / "index.csv").open("w", newline="") as file:
        index = csv.writer(file)
        index.writerow(["image", "label", "mask"])
        for number, one in enumerate(found):
            image, mask = f"images/{number:04d}{one.path.suffix}", f"masks/{number:04d}.png" if one.mask else ""
            shutil.copy(one.path, folder / image)
            if one.mask:
                one.mask.save(folder / mask)
            index.writerow([image, one.label, mask])
    return len(found)


def _some(paths: Iterable[Path], count: int) -> list[Path]:
    """At most `count` of the files, always the same ones."""
    shuffled = sorted(paths)
    random.Random(0).shuffle(shuffled)
    return shuffled[:count]


def _boxes(path: Path, boxes: list[list[int]]) -> Image.Image:
    """A mask of filled boxes (left, top, right, bottom) in px, as large as the image at `path`."""
    mask = Image.new("L", Image.open(path).size, 0)
    for box in boxes:
        ImageDraw.Draw(mask).rectangle(box, fill=255)
    return mask


if __name__ == "__main__":
    main()
