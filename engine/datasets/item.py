"""One labelled image as every reader gives it, and what all readers need: listing images, pairing masks, errors."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"}
# What data sets append to an image's name to name its mask.
_MASK_ENDINGS = ("_mask", "_segmentation", "_label", "_gt")


class DatasetError(EngineError):
    """A folder doesn't hold what its layout says."""


class OtherLayout(Exception):
    """A folder is not of the layout that a reader was asked to read; its text says what was looked for."""


@dataclass(frozen=True)
class LabelledImage:
    """An image and what is known of it.

    Attributes:
        image: its file.
        label: 1 where it is anomalous.
        mask: the file of its mask, where it has one.
        class_name: what is seen on it; metrics are taken per class.
        defect: kind of defect, "good" for normal ones; may be empty.
        split: "train" or "test".
    """

    image: Path
    label: int
    mask: Path | None = None
    class_name: str = "object"
    defect: str = ""
    split: str = "test"


# Reads a data set's folder in one layout; raises OtherLayout where the folder is of another.
Reader = Callable[[Path], list[LabelledImage]]


def image_files(folder: Path) -> list[Path]:
    """Image files directly in a folder, by name; none where there is no such folder."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and _is_visible(path))


def _is_visible(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")  # archives made on a Mac hold ._name.png beside name.png


def child(folder: Path, name: str) -> Path:
    """The entry of that name, in whatever case it is written; the name as given where there is none."""
    exact = folder / name
    if exact.exists() or not folder.is_dir():
        return exact
    return next((path for path in sorted(folder.iterdir()) if path.name.lower() == name.lower()), exact)


def inside(folder: Path, relative: str) -> Path:
    """`child` for each part of a path as index files write it, with `/` or `\\`."""
    for part in relative.replace("\\", "/").split("/"):
        folder = child(folder, part)
    return folder


def folders(folder: Path) -> list[Path]:
    """Folders directly in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


class Masks:
    """Mask files by the image that they belong to: same name in any case and format, or with `_mask` and the like."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files: dict[str, Path] = {}
        for file in files:
            stem = file.stem.lower()
            self._files[stem] = file
            for ending in _MASK_ENDINGS:
                if stem.endswith(ending):
                    self._files.setdefault(stem.removesuffix(ending), file)

    def of(self, image: Path) -> Path | None:
        """The mask of an image, or None."""
        return self._files.get(image.stem.lower())


def what_is_there(folder: Path) -> str:
    """The first entries of a folder, for messages."""
    if not folder.is_dir():
        return "no such folder"
    names = sorted(path.name + ("/" if path.is_dir() else "") for path in folder.iterdir())
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "") or "nothing"
