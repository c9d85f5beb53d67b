"""VisA: the rows of `split_csv/1cls.csv`."""

from pathlib import Path

from engine.evaluation.datasets.item import DatasetError, LabelledImage, OtherLayout, child, inside
from engine.files.tables import missing_columns, read_table

_COLUMNS = ("object", "split", "label", "image", "mask")


def read_visa(root: Path) -> list[LabelledImage]:
    """One image a row (object, split, label, image, mask); the file may also lie at the root.

    Raises:
        OtherLayout: there is no such file.
        DatasetError: it has other columns.
    """
    file = child(child(root, "split_csv"), "1cls.csv")
    file = file if file.is_file() else child(root, "1cls.csv")
    if not file.is_file():
        raise OtherLayout(f"{root}/split_csv/1cls.csv")
    columns, rows = read_table(file)
    missing = missing_columns(columns, _COLUMNS)
    if missing:
        raise DatasetError(f"{file} has no column {', '.join(missing)}; it has: {', '.join(columns)}.")
    return [_read_row(root, row) for row in rows]


def _read_row(root: Path, row: dict[str, str]) -> LabelledImage:
    anomalous = row["label"].strip().lower() != "normal"
    mask = inside(root, row["mask"]) if row["mask"] and anomalous else None
    return LabelledImage(
        inside(root, row["image"]),
        int(anomalous),
        mask if mask is not None and mask.is_file() else None,
        row["object"],
        "anomaly" if anomalous else "good",
        row["split"],
    )
