"""The tables of an export: of corrected images with their files, as `evaluate` reads it, and of all images."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from db.images.rows import ImageRow
from db.images.verdicts import Criterion, verdict
from db.tables.core import Project
from engine.files.formulas import cell
from engine.files.tables import for_excel
from workers.exchange.reasons import Reasons
from workers.exchange.rle import Mask
from workers.exchange.zip_stream import Entry
from workers.scoring.interest import applied_to


@dataclass(frozen=True)
class Placed:
    """A corrected image in a zip: its row, its path, and that of its mask (none for normal images, and in COCO)."""

    row: ImageRow
    image: str
    mask: str | None


class Listing(Protocol):
    """The file of an export that says what all the others are."""

    def add(self, placed: Placed, mask: Mask | None) -> None:
        """Note an image with its mask (h, w), None for a normal one."""

    def entry(self) -> Entry:
        """The listing of all that were noted."""


@dataclass(frozen=True)
class Judge:
    """What verdicts are by: the active version's number, the project's threshold, and `criterion`.

    And the sizes of the masks of its regions of interest, by key.
    """

    version: int | None
    threshold: float
    by: Criterion
    masks: Mapping[str, tuple[int, int]]


class IndexListing:
    """`index.csv`: image, label (0 or 1), mask, category, defect, split; and then what the product knows of each."""

    def __init__(self, project: Project, judge: Judge, reasons: Reasons) -> None:
        self._project, self._judge, self._reasons = project, judge, reasons
        self._table: list[dict[str, Any]] = []

    def add(self, placed: Placed, mask: Mask | None) -> None:
        """Note an image; see `Listing`."""
        anomalous = mask is not None
        read_by_evaluate = {
            "image": placed.image,
            "label": int(anomalous),
            "mask": placed.mask or "",
            "category": self._project.name,
            "defect": "anomalous" if anomalous else "good",
            "split": "test",
        }
        self._table.append({**read_by_evaluate, **_facts(placed.row, self._judge, self._reasons)})

    def entry(self) -> Entry:
        """The table; see `Listing`."""
        return Entry("index.csv", _csv(self._table, [*_INDEX, *_FACTS]))


def all_images_table(rows: Sequence[ImageRow], judge: Judge, reasons: Reasons) -> bytes:
    """`images.csv`: every image, corrected or not, with its score."""
    table = [{"status": row.status, **_label(row), **_facts(row, judge, reasons)} for row in rows]
    return _csv(table, header=["status", *_LABEL, *_FACTS])


_INDEX = ("image", "label", "mask", "category", "defect", "split")
_LABEL = ("label", "area")
_FACTS = (
    *("image_id", "file_name", "sha256", "width", "height"),
    *("score", "verdict", "threshold", "verdict_rule", "region_of_interest", "prompt_version"),
    *("source", "author", "annotated_at", "uploaded_at", "part", "lot", "station", "captured_at", "tags"),
    *("kinds", "comment"),
)


def _label(row: ImageRow) -> dict[str, Any]:
    return {"label": row.annotation.label, "area": row.annotation.area} if row.annotation else dict.fromkeys(_LABEL)


def _facts(row: ImageRow, judge: Judge, reasons: Reasons) -> dict[str, Any]:
    image, annotation = row.image, row.annotation
    score = row.prediction.score if row.prediction else None
    values = (
        *(image.id, image.file_name, image.sha256, image.width, image.height),
        *(score, verdict(row.prediction, judge.by) if row.prediction else None, judge.threshold),
        None if score is None else judge.by.kind,
        applied_to(image, row.prediction, judge.masks) if row.prediction else None,
        None if score is None else judge.version,
        *((annotation.source, annotation.author, _time(annotation.created_at)) if annotation else (None, None, None)),
        _time(image.created_at),
        *(image.part, image.lot, image.station),
        None if image.captured_at is None else _time(image.captured_at),
        " ".join(image.tags or []),
        *(reasons.words(row), annotation.comment if annotation else None),
    )
    return dict(zip(_FACTS, values, strict=True))


def _time(when: datetime) -> str:
    return when.isoformat(timespec="seconds")


def _csv(table: Sequence[dict[str, Any]], header: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, header)
    writer.writeheader()
    writer.writerows({column: cell(value) for column, value in row.items()} for row in table)
    return for_excel(text.getvalue())
