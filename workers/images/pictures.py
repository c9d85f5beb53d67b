"""An image as a browser can show it: at full size, or as a thumbnail that is made once and kept."""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import load_only

from db.store import Store
from db.tables.core import Image
from engine.images.showing import display_image, shown_as_it_is, thumbnail
from settings import get_settings
from workers.images.pixel_rooms import SHOWING
from workers.images.seen import decode_stored, picture_of

THUMBNAIL_SIDE = 256


@dataclass(frozen=True)
class DisplayPicture:
    """A picture for a browser; `encode` gives its bytes."""

    media_type: str
    encode: Callable[[], bytes]


def display_picture(store: Store, image: Image) -> DisplayPicture:
    """The upright 8-bit picture at full size: the upload itself where browsers show it right, else a PNG."""
    data = store.blobs.get(image.blob_key)
    media_type = shown_as_it_is(data)
    if media_type:
        return DisplayPicture(media_type, lambda: data)

    def as_png() -> bytes:
        with SHOWING.take(image.width * image.height):
            return display_image(decode_stored(image, data))

    return DisplayPicture("image/png", as_png)


def thumbnail_bytes(store: Store, image: Image) -> bytes:
    """A JPEG whose longer side is at most 256 px."""
    file = _thumbnails() / image.seen_key[:2] / f"{image.seen_key}.jpg"
    if file.exists():
        return file.read_bytes()
    with SHOWING.take(image.width * image.height):
        data = thumbnail(picture_of(store, image), THUMBNAIL_SIDE)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{uuid.uuid4().hex}.unfinished")
    unfinished.write_bytes(data)
    os.replace(unfinished, file)  # a thumbnail is there whole or not at all
    return data


def sweep_thumbnails(store: Store) -> int:
    """Delete those of images that are there no more; returns how many that were."""
    with store.session(read_only=True) as session:
        known = {
            image.seen_key for image in session.scalars(select(Image).options(load_only(Image.sha256, Image.depth)))
        }
    gone = [file for file in _thumbnails().glob("*/*.jpg") if file.stem not in known]
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)


def _thumbnails() -> Path:
    return get_settings().home / "thumbnails"
