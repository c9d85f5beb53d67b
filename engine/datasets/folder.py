"""A plain folder of one's own: `normal/`, `anomalous/`, and `masks/` with the anomalous images' names."""

from dataclasses import dataclass
from pathlib import Path

from engine.errors import EngineError

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"}


class DatasetError(EngineError):
    """A folder doesn't hold what its layout says."""


@dataclass(frozen=True)
class LabelledImage:
    """An image's file, 1 where it is anomalous, and the file of its mask where it has one."""

    image: Path
    label: int
    mask: Path | None


def read_folder(folder: Path) -> list[LabelledImage]:
    """All images of the folder, normal ones first, by name.

    Raises:
        DatasetError: nothing of the layout is there; it says what was looked for and what was found.
    """
    normal, anomalous = _images(folder / "normal"), _images(folder / "anomalous")
    if not normal and not anomalous:
        found = ", ".join(sorted(path.name for path in folder.iterdir())[:10]) if folder.is_dir() else "no such folder"
        raise DatasetError(
            f"Looked for images in {folder}/normal and {folder}/anomalous (with masks in {folder}/masks) "
            f"and found none. What is there: {found or 'nothing'}."
        )
    masks = {path.stem: path for path in _images(folder / "masks")}
    return [LabelledImage(path, 0, None) for path in normal] + [
        LabelledImage(path, 1, masks.get(path.stem)) for path in anomalous
    ]


def _images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
