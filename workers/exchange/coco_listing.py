"""`annotations.json` of COCO: one annotation for each connected region of a mask; an image without any is normal."""

import json
from collections.abc import Mapping
from typing import Any

from skimage.measure import regionprops

from db.images.part_facts import facts_of
from db.tables.core import Project
from workers.defects.naming import numbered_regions
from workers.exchange.coco_categories import category_entries
from workers.exchange.reasons import Reasons
from workers.exchange.rle import Mask, encode_rle
from workers.exchange.tables import Placed
from workers.exchange.zip_stream import Entry


class CocoListing:
    """Images (with `label`, `score`, their part's facts and the comment beside COCO's own members), their regions, and
    a category for each kind of defect."""

    def __init__(self, project: Project, version: int | None, reasons: Reasons) -> None:
        self._reasons = reasons
        self._categories, self._numbers = category_entries(reasons.names)
        self._info = {"description": f"AnomalyLoop, project {project.name}", "prompt_version": version}
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []

    def add(self, placed: Placed, mask: Mask | None) -> None:
        """Note an image; see `Listing`."""
        image, prediction = placed.row.image, placed.row.prediction
        self._images.append(
            {
                "id": image.id,
                "file_name": placed.image.removeprefix("images/"),
                "width": image.width,
                "height": image.height,
                "label": "normal" if mask is None else "anomalous",
                "score": prediction.score if prediction else None,
                "comment": placed.row.annotation.comment if placed.row.annotation else "",
                **facts_of(image),
            }
        )
        if mask is None:
            return
        kinds = {(one.x, one.y): self._numbers[name] for one, name in self._reasons.named(placed.row)}
        for region in _regions(mask, kinds):
            self._annotations.append({"id": len(self._annotations) + 1, "image_id": image.id, **region})

    def entry(self) -> Entry:
        """The document; see `Listing`."""
        document = {
            "info": self._info,
            "images": self._images,
            "annotations": self._annotations,
            "categories": self._categories,
        }
        return Entry("annotations.json", json.dumps(document).encode())


def _regions(mask: Mask, kinds: Mapping[tuple[int | None, int | None], int]) -> list[dict[str, Any]]:
    """The 8-connected regions of a mask (h, w): bbox in px (x, y, width, height), area in px, compressed RLE.

    `kinds`: x and y of a pixel → the category of the region that it lies in.
    """
    height, width = mask.shape
    numbered = numbered_regions(mask)
    categories = {numbered[y, x]: category for (x, y), category in kinds.items() if x is not None and y is not None}
    found = []
    for region in regionprops(numbered):
        top, left, bottom, right = region.bbox
        rows, columns = region.coords.T
        found.append(
            {
                "category_id": categories.get(region.label, 1),
                "iscrowd": 0,
                "area": int(region.area),
                "bbox": [left, top, right - left, bottom - top],
                "segmentation": encode_rle(rows, columns, height=height, width=width),
            }
        )
    return found
