"""What a file of labels says of one image, in whatever layout it came."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Literal
from urllib.parse import unquote

import numpy as np

from engine.images.decoding import stored_orientation
from engine.images.mask_files import doubt, read_marks
from names import compared
from workers.exchange.rle import Mask
from workers.exchange.uploads import SourceFile

# Label Studio puts eight digits before the names of files that are uploaded to it.
_PREFIX = re.compile(r"^[0-9a-f]{8}-(?=.)", re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """The image that a label is for.

    Attributes:
        width: px, upright.
        height: px, upright.
        read: gives its file's bytes, for those who must know how it is stored.
    """

    width: int
    height: int
    read: Callable[[], bytes]

    @cached_property
    def orientation(self) -> int:
        """EXIF's orientation of its file, 1 to 8."""
        return stored_orientation(self.read())


@dataclass(frozen=True)
class Label:
    """What is said of an image.

    Attributes:
        mask: (h, w), nonzero where anomalous; None: it is normal, or nobody says where it is anomalous.
        label: normal or anomalous.
        notes: what a person should know of how it was read.
        kinds: kinds of defect by name, each with x and y of a pixel of its region; None: of the image as a whole.
    """

    mask: Mask | None
    label: Literal["normal", "anomalous"]
    notes: tuple[str, ...] = ()
    kinds: tuple[tuple[str, int | None, int | None], ...] = ()


ReadLabel = Callable[[Target], Label]
NORMAL = Label(None, "normal")


@dataclass(frozen=True)
class Found:
    """A label.

    Attributes:
        path: what people know it by: the image's path in what was sent, or the mask's.
        image: the image, where it was sent too.
        image_id: the project's image that it belongs to, where that is found by name.
        read: reads the label; may raise ImageError, BadSegmentation or LabelFileError.
        fault: why it can't be used; empty where it can.
    """

    path: PurePosixPath
    image: SourceFile | None = None
    image_id: int | None = None
    read: ReadLabel | None = None
    fault: str = ""


def nothing_wrong(target: Target) -> Label:
    """The label of a normal image."""
    return NORMAL


def mask_files(files: Sequence[SourceFile]) -> ReadLabel:
    """The label that mask files give together (see `engine.images.marks`); what marks nothing says normal."""

    def read(target: Target) -> Label:
        union = np.zeros((target.height, target.width), dtype=np.uint8)
        notes: list[str] = []
        for file in files:
            marked = read_marks(
                file.read(), width=target.width, height=target.height, orientation=lambda: target.orientation
            )
            union |= marked.pixels
            notes += marked.notes
        if len(files) > 1:
            notes.append(f"{len(files)} masks are united.")
        area = int(np.count_nonzero(union))
        notes += [words] if (words := doubt(area, union.size)) else []
        return Label(union, "anomalous", tuple(notes)) if area else Label(None, "normal", tuple(notes))

    return read


class ImagesByName:
    """The images of a project by file name: an exact name goes before a like one, a name with its suffix before a stem.

    Names are alike without case and in any form of Unicode; with Label Studio's prefix, and percent-encoded.
    """

    def __init__(self, names: list[tuple[int, str]]) -> None:
        self._tiers: list[dict[str, list[int]]] = [defaultdict(list) for _ in range(6)]
        for image_id, name in names:
            for tier, key in enumerate(_keys(name)):
                self._tiers[tier][key].append(image_id)

    def ids(self, name: str) -> tuple[int, list[int]]:
        """How far a name is from that of the nearest images (0: equal), and their ids; none where none is like it."""
        for tier, key in enumerate(_keys(name)):
            if found := self._tiers[tier].get(key):
                return tier, found
        return len(self._tiers), []

    def find(self, path: PurePosixPath, read: ReadLabel) -> Found:
        """The label of the image of this name; a fault where none, or more than one, has it."""
        return found_among(path, self.ids(path.name)[1], read)


def _keys(name: str) -> Iterator[str]:
    """The forms in which a name is looked for, one after another."""
    plain = compared(name)
    bare = compared(_PREFIX.sub("", unquote(name)))
    yield name
    yield plain
    yield bare
    yield PurePosixPath(name).stem
    yield PurePosixPath(plain).stem
    yield PurePosixPath(bare).stem


def found_among(path: PurePosixPath, image_ids: list[int], read: ReadLabel) -> Found:
    """The label of the one image; a fault where there is none, or more than one."""
    if not image_ids:
        return Found(path, fault="No image of the project has this name. Add the image first, or to the zip.")
    if len(image_ids) > 1:
        listed = ", ".join(map(str, image_ids[:5]))
        return Found(path, fault=f"Several images of the project have this name ({listed}). Send the image too.")
    return Found(path, image_id=image_ids[0], read=read)
