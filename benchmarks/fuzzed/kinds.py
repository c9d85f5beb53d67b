"""The kinds of files: how each is drawn, and what the product does with it."""

import contextlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from random import Random

import numpy as np
from hypothesis import strategies

from benchmarks.fuzzed.damage import damaged
from benchmarks.fuzzed.documents import changed_document, document_of, garbled_table
from benchmarks.fuzzed.masks import SIDE, Truth, drawn, written
from benchmarks.mutated_images import written_images
from engine.errors import ImageError
from engine.files.tables import TableError, read_table
from engine.images.decoding import decode_image
from engine.images.mask_files import read_marks
from engine.images.showing import display_image, shown_as_it_is, thumbnail
from settings import Settings
from workers.errors import LabelFileError
from workers.exchange.coco_labels import coco_labels, read_coco
from workers.exchange.folder_labels import folder_labels
from workers.exchange.found import ImagesByName, Target
from workers.exchange.rle import BadSegmentation
from workers.exchange.uploads import SourceFile, open_uploads

# In lossy formats an edge may move; as a share of the true area.
_WRONG = 0.01
# What an edge of a lossy mask may cost beside: as many pixels for each pixel of its outline.
_EDGE = 0.25
_REFUSALS = (ImageError, LabelFileError, BadSegmentation, TableError)


@dataclass(frozen=True)
class Case:
    """A file of a kind; `truth`: the mask that it holds whole, where that is known; `lossy`: its format smears."""

    kind: str
    data: bytes
    truth: Truth | None = None
    lossy: bool = False


@strategies.composite
def cases(draw: strategies.DrawFn) -> Case:
    """A file of any kind, mostly damaged."""
    kind = draw(strategies.sampled_from(list(_DRAWN)))
    return _DRAWN[kind](Random(draw(strategies.integers(0, 2**63))))


@cache
def _images() -> list[bytes]:
    return [data for _, data in written_images()]


def _image(rng: Random) -> Case:
    return Case("image", damaged(rng.choice(_images()), rng.choice(_images()), rng))


def _mask(rng: Random) -> Case:
    truth = drawn(rng)
    data, lossy = written(truth, rng)
    return Case("mask", data, truth, lossy)


def _damaged_mask(rng: Random) -> Case:
    data, _ = written(drawn(rng), rng)
    return Case("damaged mask", damaged(data, rng.choice(_images()), rng))


def _zip(rng: Random) -> Case:
    data, _ = written(drawn(rng), rng)
    names = ["masks/가.png", "gt/0.png", "img/0.png", "x/test/dent/1.png", "x/ground_truth/dent/1_mask.png", "a\\b.png"]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name in rng.sample(names, rng.randint(1, 4)):
            archive.writestr(name, rng.choice((data, rng.choice(_images()))))
    return Case("zip", damaged(buffer.getvalue(), data, rng) if rng.random() < 0.9 else buffer.getvalue())


def _coco(rng: Random) -> Case:
    truth = drawn(rng)
    document, whole = changed_document(document_of(truth, rng), rng)
    data = json.dumps(document).encode()
    if rng.random() < 0.3:
        return Case("COCO", damaged(data, data, rng))
    return Case("COCO", data, truth if whole else None)


def _table(rng: Random) -> Case:
    return Case("table", garbled_table(rng))


_DRAWN: dict[str, Callable[[Random], Case]] = {
    "image": _image,
    "mask": _mask,
    "damaged mask": _damaged_mask,
    "zip": _zip,
    "COCO": _coco,
    "table": _table,
}


def _look_at_image(case: Case) -> tuple[str, bool]:
    try:
        image = decode_image(case.data)
    except ImageError:
        return "", False
    thumbnail(image)
    display_image(image)
    shown_as_it_is(case.data)
    return "", True


def _look_at_mask(case: Case) -> tuple[str, bool]:
    try:
        found = read_marks(case.data, width=SIDE, height=SIDE).pixels.astype(bool)
    except ImageError as error:
        return (f"a whole mask was refused: {error}" if case.truth is not None else ""), False
    return _compared(found, case), True


def _compared(found: Truth, case: Case) -> str:
    if case.truth is None:
        return ""
    area, true = int(np.count_nonzero(found)), int(np.count_nonzero(case.truth))
    allowed = _WRONG * true
    if case.lossy:
        outline = np.count_nonzero(case.truth[1:] != case.truth[:-1]) + np.count_nonzero(
            case.truth[:, 1:] != case.truth[:, :-1]
        )
        allowed = max(allowed, _EDGE * outline)
    return f"a mask of {true} px was read as one of {area}" if abs(area - true) > allowed else ""


def _target() -> Target:
    return Target(SIDE, SIDE, lambda: b"")


_NAMES = ImagesByName([(1, "가.png"), (2, "0.png"), (3, "1.png"), (4, "b.png")])


def _look_at_zip(case: Case) -> tuple[str, bool]:
    try:
        groups = open_uploads([("x.zip", io.BytesIO(case.data))], Settings())
    except LabelFileError:
        return "", False
    taken = False
    for found in (one for group in groups for one in folder_labels(group, _NAMES)):
        if found.read is None:
            continue
        with contextlib.suppress(*_REFUSALS):
            if found.image is not None:
                decode_image(found.image.read())
            found.read(_target())
            taken = True
    return "", taken


def _look_at_coco(case: Case) -> tuple[str, bool]:
    document = read_coco(SourceFile(PurePosixPath("x.json"), lambda: case.data))
    if document is None:
        return ("a whole document was not understood" if case.truth is not None else ""), False
    for found in coco_labels(document, [], ImagesByName([(1, "0.png")])):
        if found.read is None:
            continue
        try:
            label = found.read(_target())
        except _REFUSALS as error:
            return (f"a whole document was refused: {error}" if case.truth is not None else ""), False
        if label.mask is None:
            return ("an anomalous image was read as one without a mask" if case.truth is not None else ""), True
        return _compared(label.mask.astype(bool), case), True
    return ("the image of a whole document was not found" if case.truth is not None else ""), False


def _look_at_table(case: Case) -> tuple[str, bool]:
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(case.data)
        file.flush()
        try:
            read_table(Path(file.name))
        except TableError:
            return "", False
    return "", True


# What is found wrong with a file (empty: nothing), and whether it was taken.
KINDS: dict[str, Callable[[Case], tuple[str, bool]]] = {
    "image": _look_at_image,
    "mask": _look_at_mask,
    "damaged mask": _look_at_mask,
    "zip": _look_at_zip,
    "COCO": _look_at_coco,
    "table": _look_at_table,
}
