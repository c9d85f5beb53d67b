"""DAGM 2007: `Class1/Test/0576.PNG`, masks `Class1/Test/Label/0576_label.PNG`; without one the image is normal."""

from pathlib import Path

from engine.evaluation.datasets.item import LabelledImage, OtherLayout, child, image_files
from engine.evaluation.datasets.mask_of import masks_in

CLASSES = tuple(f"Class{number}" for number in range(1, 11))


def read_dagm(root: Path) -> list[LabelledImage]:
    """All classes and both splits. Raises OtherLayout where none is there."""
    images = [
        one
        for name in CLASSES
        for split in ("train", "test")
        for one in _read_split(child(child(root, name), split), name, split)
    ]
    if not images:
        raise OtherLayout(f"{root}/Class1…Class10/{{Train,Test}}/*.PNG")
    return images


def _read_split(folder: Path, name: str, split: str) -> list[LabelledImage]:
    masks, images = masks_in(image_files(child(folder, "Label"))), []
    for path in image_files(folder):
        mask = masks(path)
        images.append(LabelledImage(path, int(mask is not None), mask, name, "defect" if mask else "good", split))
    return images
