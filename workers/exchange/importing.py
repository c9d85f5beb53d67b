"""Taking in labels made elsewhere: each file by itself, so that what is wrong with one keeps no other out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Literal

from db.images.exports import file_names
from db.images.images import get_image
from db.projects.projects import get_project
from db.store import Store
from settings import get_settings
from workers.broker import dispatch
from workers.defects.importing import take_kinds
from workers.errors import BadKind, Conflict, ImageError, LabelFileError, NotFound
from workers.exchange.coco_labels import coco_labels, read_coco
from workers.exchange.folder_labels import folder_labels
from workers.exchange.found import Found, ImagesByName, Target
from workers.exchange.rle import BadSegmentation
from workers.exchange.uploads import SourceFile, open_uploads
from workers.images.correcting import take_over
from workers.images.intake import add_upload

_NOTHING_FOUND = (
    "There is no label in it that is known. Send a zip of MVTec's layout, of normal/, anomalous/ and masks/, or of "
    "masks named like the project's images; or a COCO JSON file, alone or in a zip with its images."
)
# Images whose scoring is asked for together.
_BATCH = 16


@dataclass(frozen=True)
class Outcome:
    """What became of one label.

    Attributes:
        path: of the image, or of the mask where it came alone, as it was sent.
        outcome: imported; unchanged (the image has this label already); kept (it has another one, which stays);
            refused.
        image_id: of the image that it belongs to.
        added: whether the image is new.
        label: normal or anomalous.
        error: why it was refused; else empty.
        note: what a person should know of how the label was read; mostly empty.
    """

    path: str
    outcome: Literal["imported", "unchanged", "kept", "refused"]
    image_id: int | None = None
    added: bool = False
    label: str | None = None
    error: str = ""
    note: str = ""


class LabelImport:
    """Labels that were understood and wait to be taken over; going through it does so, one outcome at a time.

    Args:
        store: where to.
        project_id: which project.
        uploads: file name and open file of each file that was sent; they stay open until all is taken over.
        replace: whether an imported label takes the place of what was said here; otherwise that stays.
        author: who imports.

    Raises:
        NotFound: no such project.
        LabelFileError: what was sent can't be used as a whole.
    """

    def __init__(
        self,
        store: Store,
        project_id: int,
        uploads: Sequence[tuple[str, BinaryIO]],
        *,
        replace: bool = False,
        author: str = "local",
    ) -> None:
        self._store, self._project_id, self._replace, self._author = store, project_id, replace, author
        with store.session(read_only=True) as session:
            get_project(session, project_id)
            images = ImagesByName(file_names(session, project_id))
        groups = open_uploads(uploads, get_settings())
        self._labels = [label for group in groups for label in _read_group(group, images)]
        if not self._labels:
            raise LabelFileError(_NOTHING_FOUND)

    def __len__(self) -> int:
        """How many outcomes there will be."""
        return len(self._labels)

    def __iter__(self) -> Iterator[Outcome]:
        """Take the labels over."""
        added: list[int] = []
        for label in self._labels:
            outcome = self._take(label)
            if outcome.added and outcome.image_id is not None:
                added.append(outcome.image_id)
            if len(added) >= _BATCH:
                dispatch.request_scoring(added)
                added = []
            yield outcome
        if added:
            dispatch.request_scoring(added)

    def _take(self, label: Found) -> Outcome:
        path, image_id, added = str(label.path), label.image_id, False
        try:
            if label.read is None:
                raise LabelFileError(label.fault)
            if label.image is not None:
                kept = add_upload(self._store, self._project_id, label.path.name, label.image.read(), self._author)
                image_id, added = kept.image_id, not kept.duplicate
            assert image_id is not None
            with self._store.session(read_only=True) as session:
                image = get_image(session, image_id)
            said = label.read(Target(image.width, image.height, partial(self._store.blobs.get, image.blob_key)))
            outcome = take_over(
                self._store, image_id, said.mask, label=said.label, replace=self._replace, author=self._author
            )
            if said.kinds and outcome != "kept":
                named = take_kinds(self._store, image_id, said.kinds, replace=self._replace)
                outcome = "imported" if named else outcome
            return Outcome(path, outcome, image_id, added, said.label, note=" ".join(said.notes))
        except (ImageError, BadSegmentation, LabelFileError, Conflict, NotFound, BadKind) as error:
            return Outcome(path, "refused", image_id, added, error=str(error))


def _read_group(files: list[SourceFile], images: ImagesByName) -> list[Found]:
    tables = [file for file in files if file.path.suffix.lower() == ".json"]
    documents = [(file, document) for file in tables if (document := read_coco(file)) is not None]
    if not documents:
        return folder_labels(files, images)
    pictures = [file for file in files if file not in tables]
    return [label for _, document in documents for label in coco_labels(document, pictures, images)]
