"""Sets that list themselves: the reference implementation's `meta.json`, and `index.csv`."""

import json
from pathlib import Path
from typing import Any

from engine.evaluation.datasets.item import DatasetError, LabelledImage, OtherLayout, inside
from engine.files.encodings import decode_text
from engine.files.formulas import text_of
from engine.files.tables import missing_columns, read_table


def read_meta(root: Path) -> list[LabelledImage]:
    """The reference's `meta.json`: {"test": {class: [{img_path, mask_path, cls_name, specie_name, anomaly}]}}.

    Raises:
        OtherLayout: there is no such file.
        DatasetError: it can't be read, or an entry lacks one of these.
    """
    file = root / "meta.json"
    if not file.is_file():
        raise OtherLayout(str(file))
    try:
        meta: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(decode_text(file.read_bytes()))
        return [
            _image(root, entry["img_path"], entry.get("mask_path", ""), int(entry["anomaly"]), str(name),
                   str(entry.get("specie_name", "")), split)
            for split, classes in meta.items()
            for name, entries in classes.items()
            for entry in entries
        ]  # fmt: skip
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise DatasetError(
            f"{file} is not the reference's index: {type(error).__name__} {error}. Each entry of "
            '{"test": {class: […]}} needs img_path, mask_path and anomaly.'
        ) from error


def read_index(root: Path) -> list[LabelledImage]:
    """`index.csv` with the columns image, label, mask, and optionally category, defect, split, as `cell` writes them.

    Raises:
        OtherLayout: there is no such file.
        DatasetError: a column is missing, or a label is neither 0 nor 1.
        TableError: it is no text.
    """
    file = root / "index.csv"
    if not file.is_file():
        raise OtherLayout(str(file))
    columns, rows = read_table(file)
    missing = missing_columns(columns, ("image", "label", "mask"))
    if missing:
        raise DatasetError(f"{file} has no column {', '.join(missing)}; it has: {', '.join(columns)}.")
    images = []
    for line, written in enumerate(rows, start=2):
        row = {name: text_of(one) for name, one in written.items()}
        if row["label"] not in ("0", "1"):
            raise DatasetError(f"{file}, line {line}: the label is {row['label']!r}; it must be 0 or 1.")
        category, defect = row.get("category") or root.resolve().name, row.get("defect") or ""
        images.append(
            _image(root, row["image"], row["mask"], int(row["label"]), category, defect, row.get("split") or "test")
        )
    return images


def _image(root: Path, image: str, mask: str, label: int, name: str, defect: str, split: str) -> LabelledImage:
    found = inside(root, mask) if mask and label else None
    return LabelledImage(
        inside(root, image), label, found if found is not None and found.is_file() else None, name, defect, split
    )
