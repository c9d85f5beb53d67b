"""The layout of MVTec AD, which many sets share: `<class>/test/<defect>/…` and `<class>/ground_truth/<defect>/…`."""

from collections.abc import Sequence
from pathlib import Path

from engine.datasets.item import LabelledImage, Masks, OtherLayout, Reader, child, folders, image_files


def class_folders(classes: Sequence[str], *, normal: str = "good") -> Reader:
    """A reader of `<class>/{train,test}/<defect>/`, masks in `<class>/ground_truth/<defect>/`.

    Args:
        classes: the folders to look for; those that are missing are left out. None named: every folder with `test/`.
        normal: the defect's folder that holds normal images.
    """

    def read(root: Path) -> list[LabelledImage]:
        found = [child(root, name) for name in classes] if classes else folders(root)
        images = [image for folder in found for image in _read_class(folder, normal)]
        if not images:
            names = ", ".join(classes[:3]) + (", …" if len(classes) > 3 else "") if classes else "<class>"
            raise OtherLayout(f"{root}/<c>/test/{normal}/ for a class <c> of: {names}")
        return images

    return read


def _read_class(folder: Path, normal: str) -> list[LabelledImage]:
    return [
        one
        for split in ("train", "test")
        for defect in folders(child(folder, split))
        for one in _read_defect(folder, split, defect, normal)
    ]


def _read_defect(folder: Path, split: str, defect: Path, normal: str) -> list[LabelledImage]:
    is_normal = defect.name.lower() == normal
    masks = Masks(image_files(child(child(folder, "ground_truth"), defect.name)))
    kind = "good" if is_normal else defect.name
    return [
        LabelledImage(path, int(not is_normal), None if is_normal else masks.of(path), folder.name, kind, split)
        for path in image_files(defect)
    ]
