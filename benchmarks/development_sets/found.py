"""An image of a clone with its mask, and how a folder of them is written."""

import csv
import random
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw

_LONGEST_SIDE = 1000


@dataclass(frozen=True)
class Found:
    """An image of a clone; `mask` (L, 255 where anomalous) is None where nothing is, or where nobody marked it."""

    path: Path
    label: int
    mask: Image.Image | None = None


def write_set(folder: Path, found: list[Found]) -> int:
    """Copy images and masks to `folder` and list them in its index.csv; returns how many there are.

    What is longer than 1000 px, or not everyone's format, is written anew.
    """
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    with (folder / "index.csv").open("w", newline="") as file:
        index = csv.writer(file)
        index.writerow(["image", "label", "mask"])
        for number, one in enumerate(found):
            image, mask = f"images/{number:04d}{_suffix(one.path)}", f"masks/{number:04d}.png" if one.mask else ""
            size = _write_image(one.path, folder / image)
            if one.mask:
                _shrunken(one.mask, size).save(folder / mask)
            index.writerow([image, one.label, mask])
    return len(found)


def some(paths: Iterable[Path], count: int) -> list[Path]:
    """At most `count` of the files, always the same ones."""
    shuffled = sorted(paths)
    random.Random(0).shuffle(shuffled)
    return shuffled[:count]


def boxes(path: Path, corners: list[list[int]]) -> Image.Image:
    """A mask of filled boxes (left, top, right, bottom) in px, as large as the image at `path`."""
    mask = Image.new("L", Image.open(path).size, 0)
    for box in corners:
        ImageDraw.Draw(mask).rectangle(box, fill=255)
    return mask


def marked(path: Path, above: int = 127) -> Image.Image:
    """The mask in the picture at `path`: 255 where it is brighter than `above`."""
    return Image.open(path).convert("L").point(lambda grey: 255 * (grey > above))


def union(masks: Iterable[Image.Image]) -> Image.Image:
    """255 where any of the masks is."""
    first, *others = masks
    for other in others:
        first = ImageChops.lighter(first, other)
    return first


def _suffix(path: Path) -> str:
    return path.suffix.lower() if path.suffix.lower() in (".jpg", ".jpeg", ".png") else ".png"


def _write_image(path: Path, target: Path) -> tuple[int, int]:
    """The image at `target`, copied when nothing has to change; returns its size."""
    image: Image.Image = Image.open(path)
    if max(image.size) <= _LONGEST_SIDE and target.suffix == path.suffix.lower():
        shutil.copy(path, target)
        return image.size
    image = image.convert("L" if image.mode in ("L", "1") else "RGB")
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.LANCZOS)
    image.save(target, quality=92)
    return image.size


def _shrunken(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Marked where half of a pixel's area is."""
    if mask.size == size:
        return mask
    return mask.resize(size, Image.Resampling.BOX).point(lambda share: 255 * (share >= 128))
