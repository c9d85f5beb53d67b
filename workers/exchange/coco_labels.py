"""Labels from COCO's JSON: polygons and RLE, of whatever category, are anomalous; an image without any is normal."""

import json
from functools import partial
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from workers.errors import LabelFileError
from workers.exchange.found import Found, ImagesByName
from workers.exchange.rle import BadSegmentation, Mask, decode_segmentation
from workers.exchange.uploads import SourceFile


def read_coco(file: SourceFile) -> dict[str, Any] | None:
    """The document of a file, if it is one of COCO: `images` and `annotations`."""
    try:
        document = json.loads(file.read())
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or not all(isinstance(document.get(k), list) for k in ("images", "annotations")):
        return None
    return document


def coco_labels(document: dict[str, Any], files: list[SourceFile], images: ImagesByName) -> list[Found]:
    """One label for each image that the document names, found among the files sent or else in the project.

    Raises:
        LabelFileError: an image or an annotation lacks what COCO says that it has.
    """
    try:
        segmentations: dict[object, list[Any]] = {entry["id"]: [] for entry in document["images"]}
        for annotation in document["annotations"]:
            segmentations[annotation["image_id"]].append(annotation.get("segmentation"))
        entries = [(PurePosixPath(str(e["file_name"]).replace("\\", "/")), e) for e in document["images"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise LabelFileError(
            f"The COCO file is incomplete ({type(error).__name__}: {error}). Each image needs id and file_name, each "
            "annotation the image_id of one of them."
        ) from error
    sent = _Sent(files)
    return [_label(path, entry, segmentations[entry["id"]], sent, images) for path, entry in entries]


class _Sent:
    """The files that came with the document, by path as far as it says one."""

    def __init__(self, files: list[SourceFile]) -> None:
        self._by_name: dict[str, list[SourceFile]] = {}
        for file in files:
            self._by_name.setdefault(file.path.name.lower(), []).append(file)

    def find(self, path: PurePosixPath) -> list[SourceFile]:
        alike = self._by_name.get(path.name.lower(), [])
        exact = [file for file in alike if file.path.parts[-len(path.parts) :] == path.parts]
        return exact or alike


def _label(
    path: PurePosixPath, entry: dict[str, Any], segmentations: list[Any], sent: _Sent, images: ImagesByName
) -> Found:
    read = partial(_mask, entry, segmentations)
    files = sent.find(path)
    if len(files) > 1:
        return Found(path, fault="Several of the files sent have this name. Name their folders in the COCO file.")
    return Found(path, image=files[0], mask=read) if files else images.find(path, read)


def _mask(entry: dict[str, Any], segmentations: list[Any], width: int, height: int) -> Mask | None:
    stated = (entry.get("width", width), entry.get("height", height))
    if stated != (width, height):
        raise BadSegmentation(f"COCO says {stated[0]}×{stated[1]} px and the image is {width}×{height} px.")
    if not segmentations:
        return None
    mask = np.zeros((height, width), dtype=np.uint8)
    for segmentation in segmentations:
        mask |= decode_segmentation(segmentation, height=height, width=width)
    if not mask.any():
        raise BadSegmentation("Its annotations cover no pixel of the image.")
    return mask
