"""`annotations.json` of COCO: one annotation for each connected region of a mask; an image without any is normal."""

import json
from typing import Any

from skimage.measure import label as connected_regions
from skimage.measure import regionprops

from db.images.part_facts import facts_of
from db.tables.core import Project
from workers.exchange.rle import Mask, encode_rle
from workers.exchange.tables import Placed
from workers.exchange.zip_stream import Entry

_CATEGORY = {"id": 1, "name": "anomaly", "supercategory": ""}


class CocoListing:
    """Images (with `label`, `score` and their part's facts beside COCO's own members), their regions, one category."""

    def __init__(self, project: Project, version: int | None) -> None:
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
                **facts_of(image),
            }
        )
        for region in _regions(mask) if mask is not None else ():
            self._annotations.append({"id": len(self._annotations) + 1, "image_id": image.id, **region})

    def entry(self) -> Entry:
        """The document; see `Listing`."""
        document = {
            "info": self._info,
            "images": self._images,
            "annotations": self._annotations,
            "categories": [_CATEGORY],
        }
        return Entry("annotations.json", json.dumps(document).encode())


def _regions(mask: Mask) -> list[dict[str, Any]]:
    """The 8-connected regions of a mask (h, w): bbox in px (x, y, width, height), area in px, compressed RLE."""
    height, width = mask.shape
    found = []
    for region in regionprops(connected_regions(mask, connectivity=2)):
        top, left, bottom, right = region.bbox
        rows, columns = region.coords.T
        found.append(
            {
                "category_id": _CATEGORY["id"],
                "iscrowd": 0,
                "area": int(region.area),
                "bbox": [left, top, right - left, bottom - top],
                "segmentation": encode_rle(rows, columns, height=height, width=width),
            }
        )
    return found
