"""A plain folder of one's own: `normal/`, `anomalous/`, and `masks/` with the anomalous images' names."""

from pathlib import Path

from engine.evaluation.datasets.item import DatasetError, LabelledImage, child, image_files, what_is_there
from engine.evaluation.datasets.mask_of import masks_in


def read_folder(folder: Path) -> list[LabelledImage]:
    """All images of the folder, normal ones first, by name; the folder's name is their class.

    Raises:
        DatasetError: nothing of the layout is there; it says what was looked for and what was found.
    """
    normal, anomalous = image_files(child(folder, "normal")), image_files(child(folder, "anomalous"))
    if not normal and not anomalous:
        raise DatasetError(
            f"Looked for images in {folder}/normal and {folder}/anomalous (with masks in {folder}/masks) "
            f"and found none. What is there: {what_is_there(folder)}."
        )
    masks, name = masks_in(image_files(child(folder, "masks"))), folder.resolve().name
    return [LabelledImage(path, 0, None, name, "good") for path in normal] + [
        LabelledImage(path, 1, masks(path), name, "anomalous") for path in anomalous
    ]
