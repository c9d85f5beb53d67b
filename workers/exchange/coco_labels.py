"""Labels from COCO's JSON: polygons and RLE are anomalous, of the kind that their category names; an image without any
is normal.

What is right is taken, and each entry that isn't is named.
"""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from engine.files.encodings import UnknownEncoding, decode_text
from names import compared
from workers.exchange.coco_categories import CategoryMap, category_names, coco_id
from workers.exchange.found import NORMAL, Found, ImagesByName, Label, Target
from workers.exchange.rle import BadSegmentation, Mask, decode_segmentation, whole
from workers.exchange.uploads import SourceFile

# Label Studio names local files by a query: /data/local-files/?d=folder%2Fx.png.
_QUERY = re.compile(r"^.*\?d=")
_UNSURE = "It has no annotation, and the COCO file has some that belong to no image: whether it is normal is not sure."
_BOX = "An annotation has no polygon and no RLE; boxes alone say nothing of pixels."


def read_coco(file: SourceFile) -> dict[str, Any] | None:
    """The document of a file, if it is one of COCO: `images` and `annotations`."""
    try:
        document = json.loads(decode_text(file.read()))
    except (ValueError, UnknownEncoding, RecursionError):
        return None
    if not isinstance(document, dict) or not all(isinstance(document.get(k), list) for k in ("images", "annotations")):
        return None
    return document


@dataclass
class _Image:
    """An image of the document, with its annotations."""

    path: PurePosixPath
    entry: dict[str, Any]
    annotations: list[dict[str, Any]] = field(default_factory=list)
    categories: dict[str, str] = field(default_factory=dict)


def coco_labels(document: dict[str, Any], files: list[SourceFile], images: ImagesByName) -> list[Found]:
    """One label for each image that the document names, found among the files sent or else in the project; and a fault
    for each entry that is none of COCO's, or belongs to none of the images."""
    found, faults = _images(document["images"], category_names(document.get("categories")))
    orphans = _annotate(found, document["annotations"])
    sent = _Sent(files)
    labels = [
        Found(one.path, fault=_UNSURE) if orphans and not one.annotations else _label(one, sent, images)
        for one in found.values()
    ]
    return labels + faults + orphans


def _images(entries: list[Any], categories: dict[str, str]) -> tuple[dict[str, _Image], list[Found]]:
    found, faults = dict[str, _Image](), list[Found]()
    for number, entry in enumerate(entries):
        name = entry.get("file_name") if isinstance(entry, dict) else None
        key = coco_id(entry.get("id")) if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name or key is None:
            shown = PurePosixPath(name if isinstance(name, str) and name else f"images[{number}]")
            faults.append(Found(shown, fault="The COCO file is incomplete here: an image needs id and file_name."))
        elif key in found:
            fault = (
                f"The COCO file has another image with the id {key} ({found[key].path}): whose annotations are they?"
            )
            faults.append(Found(_path(name), fault=fault))
        else:
            found[key] = _Image(_path(name), entry, categories=categories)
    return found, faults


def _annotate(found: dict[str, _Image], entries: list[Any]) -> list[Found]:
    """Give the images their annotations; the faults are those that belong to none."""
    faults = []
    for number, entry in enumerate(entries):
        key = coco_id(entry.get("image_id")) if isinstance(entry, dict) else None
        if key is not None and key in found:
            found[key].annotations.append(entry)
            continue
        given = entry.get("id") if isinstance(entry, dict) else None
        where = PurePosixPath(f"annotation {number if given is None else given}")
        if key is None:
            faults.append(Found(where, fault="It is an annotation that names no image."))
        else:
            fault = f"It is an annotation of the image {key}, which the COCO file doesn't list."
            faults.append(Found(where, fault=fault))
    return faults


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(_QUERY.sub("", name).replace("\\", "/"))


class _Sent:
    """The files that came with the document, by path as far as it says one."""

    def __init__(self, files: list[SourceFile]) -> None:
        self._by_name: dict[str, list[SourceFile]] = defaultdict(list)
        for file in files:
            self._by_name[compared(file.path.name)].append(file)

    def find(self, path: PurePosixPath) -> list[SourceFile]:
        """Those of exactly this path, or else those of its name."""
        for name in (path, PurePosixPath(unquote(str(path)))):
            alike = self._by_name.get(compared(name.name), [])
            wanted = _parts(name)
            exact = [file for file in alike if _parts(file.path)[-len(wanted) :] == wanted]
            if exact or alike:
                return exact or alike
        return []


def _parts(path: PurePosixPath) -> list[str]:
    return [compared(part) for part in path.parts if part != "/"]


def _label(one: _Image, sent: _Sent, images: ImagesByName) -> Found:
    read = partial(_read, one)
    files = sent.find(one.path)
    if len(files) > 1:
        return Found(one.path, fault="Several of the files sent have this name. Name their folders in the COCO file.")
    return Found(one.path, image=files[0], read=read) if files else images.find(one.path, read)


def _read(one: _Image, target: Target) -> Label:
    """Raises BadSegmentation where nothing of an image's annotations can be used."""
    if not one.annotations:
        return NORMAL
    stored = _is_stored(one.entry, target)
    width, height = (target.height, target.width) if stored else (target.width, target.height)
    drawn, notes, boxes = CategoryMap(height, width, one.categories), list[str](), 0
    for number, annotation in enumerate(one.annotations):
        try:
            drawn.add(_marked(annotation, height, width), coco_id(annotation.get("category_id")))
        except BadSegmentation as error:
            boxes += str(error) == _BOX and bool(annotation.get("bbox"))
            notes.append(f"Annotation {annotation.get('id', number)} is passed over: {error}")
    if drawn.marks_anything:
        if stored:
            drawn.turn(target.orientation)
        kinds, unsure = drawn.kinds()
        return Label(drawn.mask, "anomalous", (*notes, *unsure), kinds)
    if boxes == len(one.annotations):
        unmarked = ("It has boxes alone: it is anomalous, and nobody says where.",)
        return Label(None, "anomalous", unmarked, _kind_of_all(one))
    raise BadSegmentation(" ".join(notes))


def _kind_of_all(one: _Image) -> tuple[tuple[str, None, None], ...]:
    """The kind of an image that is not marked: the one category of all its annotations, where they have one."""
    names = {one.categories.get(coco_id(annotation.get("category_id")) or "") for annotation in one.annotations}
    name = names.pop() if len(names) == 1 else None
    return ((name, None, None),) if name else ()


def _marked(annotation: dict[str, Any], height: int, width: int) -> Mask:
    segmentation = annotation.get("segmentation")
    if segmentation is None or segmentation == [] or segmentation == {}:
        raise BadSegmentation(_BOX)
    mask = decode_segmentation(segmentation, height=height, width=width)
    if not mask.any():
        raise BadSegmentation("It covers no pixel of the image.")
    return mask


def _is_stored(entry: dict[str, Any], target: Target) -> bool:
    """Whether the document means the picture as its file stores it, not as EXIF turns it upright.

    Raises:
        BadSegmentation: it means a picture of another size.
    """
    width, height = whole(entry.get("width")) or target.width, whole(entry.get("height")) or target.height
    if (width, height) == (target.width, target.height):
        return False
    if (width, height) == (target.height, target.width) and target.orientation >= 5:
        return True
    raise BadSegmentation(f"COCO says {width}×{height} px and the image is {target.width}×{target.height} px.")
