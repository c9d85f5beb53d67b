"""Taking in an upload: checked, then its bytes kept, then its row written. Nothing of a refused file is stored."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from db.images.images import add_image
from db.images.part_facts import NOTHING_KNOWN, PartFacts, facts_in_name
from db.projects.depth import depth_of, fix_depth
from db.projects.projects import get_project
from db.store import Store
from db.tables.core import Image, seen_key
from engine.images.decoding import decode_image, depth_set_by, is_deep
from engine.images.depth import DepthRule
from settings import get_settings
from workers.images.capture_time import captured_at
from workers.images.pixel_rooms import DECODING

if TYPE_CHECKING:
    from PIL.Image import Image as Picture


@dataclass(frozen=True)
class Added:
    """An upload that was kept; `duplicate` when the project had the same bytes already."""

    image_id: int
    sha256: str
    width: int
    height: int
    duplicate: bool


@dataclass(frozen=True)
class Checked:
    """An upload that can be used.

    Attributes:
        data: the file's bytes.
        width: in px, upright.
        height: in px, upright.
        depth: the rule by which it is seen, (low, high); None: it has 8 bits.
        sets_depth: whether the project has no rule yet, and takes this one.
        facts: what its name and its EXIF time say of its part.
    """

    data: bytes
    width: int
    height: int
    depth: tuple[float, float] | None
    sets_depth: bool
    facts: PartFacts

    @cached_property
    def sha256(self) -> str:
        """Of its bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def seen_key(self) -> str:
        """Names what is made of it, see `Image.seen_key`."""
        return seen_key(self.sha256, None if self.depth is None else str(DepthRule(*self.depth)))

    def picture(self) -> "Picture":
        """Decoded, by its rule."""
        rule = None if self.depth is None else DepthRule(*self.depth)
        size, pixels = len(self.data), self.width * self.height
        return decode_image(self.data, max_pixels=pixels, max_bytes=size, depth=rule, room=DECODING)


def check_upload(store: Store, project_id: int, file_name: str, data: bytes) -> Checked:
    """What is known of a file that is to be an image of a project; see `add_upload` for what it raises."""
    settings = get_settings()
    max_pixels, max_bytes = settings.max_pixels, round(settings.max_upload_mb * 1e6)
    # Only the size is kept: the pixels of a large image take 400 MB.
    width, height = decode_image(data, max_pixels=max_pixels, max_bytes=max_bytes, room=DECODING).size
    with store.session(read_only=True) as session:
        project = get_project(session, project_id)
        depth, pattern = depth_of(project), project.settings.get("name_pattern")
    deep = is_deep(data)
    sets_depth = deep and depth is None
    if sets_depth:  # the first image of more than 8 bits tells how all are seen
        own = depth_set_by(data, max_pixels=max_pixels, max_bytes=max_bytes)
        depth = None if own is None else (own.low, own.high)
    facts = facts_in_name(file_name, pattern).or_else(PartFacts(captured_at=captured_at(data)))
    return Checked(data, width, height, depth if deep else None, sets_depth and depth is not None, facts)


def keep_upload(
    session: Session, store: Store, project_id: int, file_name: str, checked: Checked, author: str, facts: PartFacts
) -> tuple[Image, bool]:
    """Write the row of an image whose bytes were put; returns it, and True where it was there already.

    What is given of its part counts before what its name says.
    """
    depth = checked.depth
    if depth is not None and checked.sets_depth:
        depth = fix_depth(session, project_id, depth)
    return add_image(
        session,
        project_id=project_id,
        sha256=checked.sha256,
        blob_key=store.keep_until_named(session, checked.data),
        file_name=file_name,
        byte_size=len(checked.data),
        width=checked.width,
        height=checked.height,
        author=author,
        depth=None if depth is None else str(DepthRule(*depth)),
        facts=facts.or_else(checked.facts),
    )


def add_upload(
    store: Store,
    project_id: int,
    file_name: str,
    data: bytes,
    author: str = "local",
    facts: PartFacts = NOTHING_KNOWN,
) -> Added:
    """Keep an image; when this returns, it survives any crash.

    Args:
        store: where to.
        project_id: the project it belongs to.
        file_name: as the user names it.
        data: the file's bytes, kept unchanged.
        author: who uploads.
        facts: what is known of its part, besides what its name and its EXIF time say.

    Raises:
        ImageError: the file can't be used as an image.
        NotFound: there is no such project.
        BlobsUnavailable: its bytes could not be kept.
    """
    checked = check_upload(store, project_id, file_name, data)
    # First the blob, then the row: a crash in between leaves a file that nobody names, never a row without its file.
    with store.clearing_up([store.blobs.put(data)]), store.session() as session:
        row, duplicate = keep_upload(session, store, project_id, file_name, checked, author, facts)
        return Added(row.id, row.sha256, row.width, row.height, duplicate)
