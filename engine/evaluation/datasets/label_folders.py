"""Image-level sets: one folder for each label, or a table of labels; no masks."""

from collections.abc import Mapping
from pathlib import Path

from engine.evaluation.datasets.item import (
    DatasetError,
    LabelledImage,
    OtherLayout,
    Reader,
    child,
    folders,
    image_files,
    inside,
)
from engine.files.tables import missing_columns, read_table


def label_folders(labels: Mapping[str, int], class_name: str, *, within: str = "") -> Reader:
    """A reader of one folder a label.

    Args:
        labels: folder → 1 where its images are anomalous. At least one normal and one anomalous folder must be there.
        class_name: of all images.
        within: a folder that the labels' folders may lie in; each may also hold its images in `images/`.
    """

    def read(root: Path) -> list[LabelledImage]:
        base = child(root, within) if within and child(root, within).is_dir() else root
        images = [
            LabelledImage(path, label, None, class_name, "good" if label == 0 else name)
            for name, label in labels.items()
            for path in (image_files(child(base, name)) or image_files(child(child(base, name), "images")))
        ]
        if {image.label for image in images} != {0, 1}:
            raise OtherLayout(f"images in {base}/{{{','.join(labels)}}}/, normal and anomalous ones")
        return images

    return read


def read_class_images(root: Path) -> list[LabelledImage]:
    """`<class>/*`: images of classes, none of them anomalous by itself. Raises OtherLayout with fewer than two."""
    images = [LabelledImage(path, 0, None, one.name) for one in folders(root) for path in image_files(one)]
    if len({image.class_name for image in images}) < 2:
        raise OtherLayout(f"{root}/<class>/*.jpg for at least two classes")
    return images


def read_head_ct(root: Path) -> list[LabelledImage]:
    """HeadCT: `head_ct/000.png` … with `labels.csv` (`id, hemorrhage`).

    Raises:
        OtherLayout: there is no labels.csv.
        DatasetError: it has other columns, or names an image that isn't there.
    """
    file = next(
        (path for path in (child(root, "labels.csv"), inside(root, "head_ct/labels.csv")) if path.is_file()), None
    )
    if file is None:
        raise OtherLayout(f"{root}/labels.csv with {root}/head_ct/000.png")
    folder = child(root, "head_ct")
    files = {_number(path.stem): path for path in image_files(folder if image_files(folder) else root)}
    columns, rows = read_table(file)
    if not rows or missing_columns(columns, ("id", "hemorrhage")):
        raise DatasetError(f"{file} must have rows under the columns id, hemorrhage.")
    images = []
    for row in rows:
        if _number(row["id"]) not in files:
            raise DatasetError(f"{file} names image {row['id']}, and {folder} has none of that number. Restore it.")
        label = int(row["hemorrhage"])
        images.append(LabelledImage(files[_number(row["id"])], label, None, "brain", "hemorrhage" if label else "good"))
    return images


def _number(text: str) -> str:
    return text.lstrip("0") or "0"
