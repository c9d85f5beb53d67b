"""What a file of labels says of one image, in whatever layout it came."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath

from engine.images import decode_mask
from workers.exchange.rle import Mask
from workers.exchange.uploads import SourceFile

# From the image's width and height to its mask (h, w); None: the image is normal.
ReadMask = Callable[[int, int], Mask | None]


@dataclass(frozen=True)
class Found:
    """A label.

    Attributes:
        path: what people know it by: the image's path in what was sent, or the mask's.
        image: the image, where it was sent too.
        image_id: the project's image that it belongs to, where that is found by name.
        mask: reads the label; may raise ImageError, BadSegmentation or LabelFileError.
        fault: why it can't be used; empty where it can.
    """

    path: PurePosixPath
    image: SourceFile | None = None
    image_id: int | None = None
    mask: ReadMask | None = None
    fault: str = ""


def nothing_wrong(width: int, height: int) -> None:
    """The label of a normal image."""


def mask_file(file: SourceFile) -> ReadMask:
    """The label that a mask file gives: nonzero = anomalous; one that is zero everywhere says normal."""

    def read(width: int, height: int) -> Mask | None:
        mask = decode_mask(file.read(), width=width, height=height)
        return mask if mask.any() else None

    return read


class ImagesByName:
    """The images of a project by file name, without case: exactly, or else without the suffix."""

    def __init__(self, names: list[tuple[int, str]]) -> None:
        self.names = names
        self._exact: dict[str, list[int]] = {}
        self._stems: dict[str, list[int]] = {}
        for image_id, name in names:
            self._exact.setdefault(name.lower(), []).append(image_id)
            self._stems.setdefault(PurePosixPath(name).stem.lower(), []).append(image_id)

    def find(self, path: PurePosixPath, mask: ReadMask) -> Found:
        """The label of the image of this name; a fault where none, or more than one, has it."""
        name = path.name.lower()
        return found_among(path, self._exact.get(name) or self._stems.get(path.stem.lower(), []), mask)


def found_among(path: PurePosixPath, image_ids: list[int], mask: ReadMask) -> Found:
    """The label of the one image; a fault where there is none, or more than one."""
    if not image_ids:
        return Found(path, fault="No image of the project has this name. Add the image first, or to the zip.")
    if len(image_ids) > 1:
        listed = ", ".join(map(str, image_ids[:5]))
        return Found(path, fault=f"Several images of the project have this name ({listed}). Send the image too.")
    return Found(path, image_id=image_ids[0], mask=mask)
