"""A project's images, masks and scores as a zip in one of four formats; the first two are read by `evaluate`.

`mvtec`: `<project>/test/{good,anomalous}/` and `<project>/ground_truth/anomalous/*_mask.png` (`--dataset mvtec_like`).
`masks`: `normal/`, `anomalous/` and `masks/` of the same names (`--dataset folder`).
`coco`: `images/` and `annotations.json`, one annotation for each connected region, as RLE, with its kind as category.
`csv`: one table of all images, corrected or not.

The first three hold what people have said, so corrected images only, and a table of them with their scores. Images
that are called anomalous without a mask are in the table of all alone: elsewhere they would pass for normal.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.errors import BlobMissing
from db.images.exports import all_rows
from db.images.rows import ImageRow
from db.images.verdicts import criterion, criterion_by
from db.projects.interest import mask_sizes
from db.projects.projects import get_project
from db.store import Store
from db.tables.core import Project
from db.training.prompt_versions import active_version
from engine.images.mask_files import decode_mask
from workers.errors import ImageError, NothingToExport
from workers.exchange.coco_listing import CocoListing
from workers.exchange.names import ExportedNames
from workers.exchange.reasons import reasons_of
from workers.exchange.safe_names import safe_name
from workers.exchange.tables import IndexListing, Judge, Listing, Placed, all_images_table
from workers.exchange.zip_stream import Entry, zip_stream

logger = logging.getLogger(__name__)

FORMATS = ("mvtec", "masks", "coco", "csv")
# For what is put behind the name of a project, where it is a file's.
_ROOM = 32
_NO_MASK = "It is called anomalous, and nobody marked where. Mark it, or take its label from the format csv."


def export_zip(store: Store, project_id: int, kind: str, image_ids: Sequence[int] | None = None) -> Iterator[bytes]:
    """The zip in pieces. What is wrong with the request is raised here, before the first piece.

    Args:
        store: where from.
        project_id: which project.
        kind: one of `FORMATS`.
        image_ids: only these images; None: all.

    Raises:
        NotFound: no such project.
        NothingToExport: no image is corrected, and the format holds corrected images.
        ValueError: an unknown format.
    """
    if kind not in FORMATS:
        raise ValueError(f"There is no format {kind!r}. The formats are {', '.join(FORMATS)}.")
    with store.session(read_only=True) as session:
        project = get_project(session, project_id)
        rows = list(all_rows(session, project_id, image_ids))
        judge, reasons = _judge(session, project), reasons_of(session, project_id, rows)
    if kind == "csv":
        return zip_stream([Entry("images.csv", all_images_table(rows, judge, reasons))])
    corrected = [row for row in rows if row.annotation is not None]
    if corrected and all(_unmarked(row) for row in corrected):
        raise NothingToExport(
            "The corrected images are called anomalous, and nobody marked where: this format holds masks. "
            "Mark some, or export the format csv, which holds the labels of all images."
        )
    if not corrected:
        raise NothingToExport(
            f"Nobody has corrected or accepted an image of {project.name!r} yet, so there are no labels to export. "
            "Correct some, or export the format csv, which holds the scores of all images."
        )
    listing: Listing = IndexListing(project, judge, reasons)
    if kind == "coco":
        listing = CocoListing(project, judge.version, reasons)
    return zip_stream(_entries(store, corrected, _layout(kind, project), listing))


def _judge(session: Session, project: Project) -> Judge:
    version, threshold = active_version(session, project.id), project.settings["threshold"]
    masks = mask_sizes(session, project.id)
    if version is None:
        return Judge(None, threshold, criterion_by(project.settings), masks)
    return Judge(version.number, threshold, criterion(session, version.id), masks)


def _unmarked(row: ImageRow) -> bool:
    """Whether an image is called anomalous without a mask: where masks are read back, it would pass for normal."""
    said = row.annotation
    return said is not None and said.label == "anomalous" and said.mask_blob_key is None


@dataclass(frozen=True)
class _Layout:
    """Where files lie: an image, by its name and whether it is anomalous; its mask; None: masks are in the listing."""

    image: Callable[[str, bool], str]
    mask: Callable[[str], str] | None


def _layout(kind: str, project: Project) -> _Layout:
    if kind == "coco":
        return _Layout(lambda name, _: f"images/{name}", None)
    if kind == "masks":
        return _Layout(
            lambda name, anomalous: f"{'anomalous' if anomalous else 'normal'}/{name}",
            lambda name: f"masks/{_stem(name)}.png",
        )
    folder = safe_folder(project.name)
    return _Layout(
        lambda name, anomalous: f"{folder}/test/{'anomalous' if anomalous else 'good'}/{name}",
        lambda name: f"{folder}/ground_truth/anomalous/{_stem(name)}_mask.png",
    )


def safe_folder(name: str) -> str:
    """A project's name as a folder's, or a file's, on any system."""
    return safe_name(re.sub(r"[^\w.-]+", "_", name).strip("._"), otherwise="project", room=_ROOM)


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def _entries(store: Store, rows: Sequence[ImageRow], layout: _Layout, listing: Listing) -> Iterator[Entry]:
    """Images and masks, then the listing, then (where there are any) what could not be put in."""
    names = ExportedNames([(row.image.id, row.image.file_name) for row in rows])
    problems = []
    for row in rows:
        if _unmarked(row):
            problems.append(f"Image {row.image.id}, {row.image.file_name}: {_NO_MASK}")
            continue
        try:
            data, mask_data = _read(store, row)
            mask = None if mask_data is None else decode_mask(mask_data, width=row.image.width, height=row.image.height)
        except (BlobMissing, ImageError) as error:
            logger.error("Image %d could not be exported: %s", row.image.id, error)
            problems.append(f"Image {row.image.id}, {row.image.file_name}: {error}")
            continue
        name = names.of(row.image.id, data)
        placed = Placed(
            row, layout.image(name, mask is not None), layout.mask(name) if layout.mask and mask_data else None
        )
        listing.add(placed, mask)
        yield Entry(placed.image, data)
        if placed.mask and mask_data:
            yield Entry(placed.mask, mask_data)
    yield listing.entry()
    if problems:
        yield Entry("problems.txt", "\n".join([*problems, ""]).encode())


def _read(store: Store, row: ImageRow) -> tuple[bytes, bytes | None]:
    """The bytes of an image and of its mask, None for a normal one."""
    key = row.annotation.mask_blob_key if row.annotation else None
    return store.blobs.get(row.image.blob_key), None if key is None else store.blobs.get(key)
