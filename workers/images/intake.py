"""Taking in an upload: checked, then its bytes kept, then its row written. Nothing of a refused file is stored."""

import hashlib
from dataclasses import dataclass

from db.images.images import add_image
from db.projects.depth import depth_of, fix_depth
from db.projects.projects import get_project
from db.store import Store
from engine.images.decoding import decode_image, depth_set_by, is_deep
from engine.images.depth import DepthRule
from settings import get_settings
from workers.images.pixel_rooms import DECODING


@dataclass(frozen=True)
class Added:
    """An upload that was kept; `duplicate` when the project had the same bytes already."""

    image_id: int
    sha256: str
    width: int
    height: int
    duplicate: bool


def add_upload(store: Store, project_id: int, file_name: str, data: bytes, author: str = "local") -> Added:
    """Keep an image; when this returns, it survives any crash.

    Args:
        store: where to.
        project_id: the project it belongs to.
        file_name: as the user names it.
        data: the file's bytes, kept unchanged.
        author: who uploads.

    Raises:
        ImageError: the file can't be used as an image.
        NotFound: there is no such project.
        BlobsUnavailable: its bytes could not be kept.
    """
    settings = get_settings()
    max_pixels, max_bytes = settings.max_pixels, round(settings.max_upload_mb * 1e6)
    # Only the size is kept: the pixels of a large image take 400 MB.
    width, height = decode_image(data, max_pixels=max_pixels, max_bytes=max_bytes, room=DECODING).size
    with store.session(read_only=True) as session:
        depth = depth_of(get_project(session, project_id))
    deep = is_deep(data)
    own = depth_set_by(data, max_pixels=max_pixels, max_bytes=max_bytes) if deep and depth is None else None
    # First the blob, then the row: a crash in between leaves a file that nobody names, never a row without its file.
    with store.clearing_up([store.blobs.put(data)]), store.session() as session:
        blob_key = store.keep_until_named(session, data)
        if own is not None:  # the first image of more than 8 bits tells how all are seen
            depth = fix_depth(session, project_id, (own.low, own.high))
        row, duplicate = add_image(
            session,
            project_id=project_id,
            sha256=hashlib.sha256(data).hexdigest(),
            blob_key=blob_key,
            file_name=file_name,
            byte_size=len(data),
            width=width,
            height=height,
            author=author,
            depth=str(DepthRule(*depth)) if deep and depth is not None else None,
        )
        return Added(row.id, row.sha256, row.width, row.height, duplicate)
