"""One labelled image as every reader gives it, and what all readers need: listing images, pairing masks, errors."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError
from engine.images.suffixes import IMAGE_SUFFIXES
from names import compared


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
        more_masks: further files, where the layout has one for each part that is anomalous: their union counts.
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
    more_masks: tuple[Path, ...] = ()

    @property
    def masks(self) -> tuple[Path, ...]:
        """All files of its mask; none where it has none."""
        return () if self.mask is None else (self.mask, *self.more_masks)


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
    """The entry of that name, in whatever case and form it is written; the name as given where there is none."""
    exact = folder / name
    if exact.exists() or not folder.is_dir():
        return exact
    return next((path for path in sorted(folder.iterdir()) if compared(path.name) == compared(name)), exact)


def inside(folder: Path, relative: str) -> Path:
    """`child` for each part of a path as index files write it, with `/` or `\\`."""
    for part in relative.replace("\\", "/").split("/"):
        folder = child(folder, part)
    return folder


def folders(folder: Path) -> list[Path]:
    """Folders directly in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def what_is_there(folder: Path) -> str:
    """The first entries of a folder, for messages."""
    if not folder.is_dir():
        return "no such folder"
    names = sorted(path.name + ("/" if path.is_dir() else "") for path in folder.iterdir())
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "") or "nothing"
