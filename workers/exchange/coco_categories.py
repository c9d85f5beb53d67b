"""COCO's categories: their names, and which of them each region of an image has."""

from typing import Any

import numpy as np
from PIL import Image

from db.defects.kinds import LONGEST_NAME
from engine.images.decoding import turned
from workers.defects.naming import numbered_regions
from workers.exchange.rle import Mask, whole

# The category of regions that have no kind, which an export writes and an import takes for none.
WITHOUT_KIND = "anomaly"
_MIXED = "Some regions have several categories; the one that covers most of each is kept."


def coco_id(value: Any) -> str | None:
    """An id as it is compared: 1, 1.0 and "1" are one."""
    if isinstance(value, str):
        value = value.strip()
    number = whole(value)
    return str(number) if number is not None else value if isinstance(value, str) and value else None


def category_names(entries: Any) -> dict[str, str]:
    """Id → name of the categories of a document that name a kind of defect; what is none of COCO's is passed over."""
    found = {}
    for entry in entries if isinstance(entries, list) else []:
        key, name = (coco_id(entry.get("id")), entry.get("name")) if isinstance(entry, dict) else (None, None)
        if key is None or not isinstance(name, str):
            continue
        name = " ".join(name.split())[:LONGEST_NAME].strip()
        if name.isprintable() and name.casefold() not in ("", WITHOUT_KIND):
            found[key] = name
    return found


class CategoryMap:
    """What the annotations of an image mark, each with its category.

    Args:
        height: px.
        width: px.
        names: of the categories, by id.
    """

    def __init__(self, height: int, width: int, names: dict[str, str]) -> None:
        # 0 where nothing is marked, 1 where it has no kind, else 2 and more for each kind.
        self._marks = np.zeros((height, width), dtype=np.int32)
        self._names = list(dict.fromkeys(names.values()))
        self._numbers = {key: self._names.index(name) + 2 for key, name in names.items()}

    @property
    def marks_anything(self) -> bool:
        """Whether any pixel is marked."""
        return bool(self._marks.any())

    @property
    def mask(self) -> Mask:
        """(h, w), 1 where something is marked."""
        return (self._marks > 0).astype(np.uint8)

    def add(self, marked: Mask, category: str | None) -> None:
        """Mark what an annotation marks (h, w); what another one has marked with a kind keeps that."""
        self._marks[(marked != 0) & (self._marks < 2)] = self._numbers.get(category or "", 1)

    def turn(self, orientation: int) -> None:
        """Turn it as EXIF says."""
        self._marks = np.asarray(turned(Image.fromarray(self._marks), orientation))

    def kinds(self) -> tuple[tuple[tuple[str, int, int], ...], tuple[str, ...]]:
        """The kind of each region, by name, with x and y of a pixel in it; and a note where one has several."""
        inside = self._marks > 1
        rows, columns = np.nonzero(inside)
        parts = np.stack([numbered_regions(self.mask)[inside], self._marks[inside]])
        pairs, first, counts = np.unique(parts, axis=1, return_index=True, return_counts=True)
        largest: dict[int, int] = {}  # region → the position of its largest part
        for part in np.argsort(-counts, kind="stable"):
            largest.setdefault(int(pairs[0, part]), int(part))
        kinds = tuple(
            (self._names[pairs[1, part] - 2], int(columns[first[part]]), int(rows[first[part]]))
            for part in largest.values()
        )
        return kinds, (_MIXED,) if len(counts) > len(largest) else ()


def category_entries(names: list[str]) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The categories of an export, that of regions without a kind first; and the number of each kind by name."""
    entries = [{"id": 1, "name": WITHOUT_KIND, "supercategory": ""}]
    entries += [{"id": number, "name": name, "supercategory": WITHOUT_KIND} for number, name in enumerate(names, 2)]
    return entries, {name: number for number, name in enumerate(names, 2)}
