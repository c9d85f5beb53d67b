"""The layout of MVTec AD, which many sets share, and those of its like: see `engine.evaluation.datasets.pairing`."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from engine.evaluation.datasets.item import (
    DatasetError,
    LabelledImage,
    OtherLayout,
    Reader,
    child,
    folders,
    image_files,
)
from engine.evaluation.datasets.pairing import CLASS_FOLDERS, Paired, pair
from names import compared


def class_folders(classes: Sequence[str], *, normal: str = "good") -> Reader:
    """A reader of `<class>/{train,test}/<defect>/`, masks in `<class>/ground_truth/<defect>/`, and of layouts like it.

    Args:
        classes: the folders to look for; those that are missing are left out. None named: every folder.
        normal: the folder of normal images, to name it where nothing is found.
    """

    def read(root: Path) -> list[LabelledImage]:
        found = [child(root, name) for name in classes] if classes else folders(root)
        images = [image for folder in found for image in _read_class(folder)]
        if not images:
            names = ", ".join(classes[:3]) + (", …" if len(classes) > 3 else "") if classes else "<class>"
            raise OtherLayout(f"{root}/<c>/test/{normal}/ for a class <c> of: {names}")
        return images

    return read


def _read_class(folder: Path) -> list[LabelledImage]:
    inner = [one for one in folders(folder) if compared(one.name) in CLASS_FOLDERS]
    paths = [path for one in inner for path in _files_within(one)]
    files = {PurePosixPath(path.relative_to(folder).as_posix()): path for path in paths}
    found, _ = pair(files)
    return [_labelled(folder, one, files) for one in sorted(found, key=lambda one: (one.split == "test", one.image))]


def _files_within(folder: Path) -> list[Path]:
    return [*image_files(folder), *(path for inner in folders(folder) for path in _files_within(inner))]


def _labelled(folder: Path, one: Paired, files: dict[PurePosixPath, Path]) -> LabelledImage:
    if one.fault:
        raise DatasetError(f"{files[one.image]}: {one.fault}")
    masks = [files[mask] for mask in one.masks]
    return LabelledImage(
        files[one.image], one.label, masks[0] if masks else None, folder.name, one.defect, one.split, tuple(masks[1:])
    )
