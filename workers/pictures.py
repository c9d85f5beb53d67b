"""An image as a browser can show it: at full size, or as a thumbnail that is made once and kept."""

import io
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Picture
from sqlalchemy import select

from db.models import Image
from db.store import Store
from engine.images import decode_image, display_image, thumbnail
from engine.pixel_room import PixelRoom
from settings import get_settings

THUMBNAIL_SIDE = 256
# What every browser shows as the model sees it; all else is decoded here and sent as PNG.
_SHOWN_AS_IT_IS = {("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGB"), ("PNG", "L")}
_EXIF_ORIENTATION = 0x0112
# Pixels that are decoded at the same time, as many as one of the largest uploads has: several such at once would take
# more memory than a container has.
DECODING = PixelRoom(100_000_000)
# What is made into another picture at the same time, maps of full size too: as many pixels as one of the largest has.
ROOM = PixelRoom(100_000_000)


@dataclass(frozen=True)
class DisplayPicture:
    """A picture for a browser; `encode` gives its bytes."""

    media_type: str
    encode: Callable[[], bytes]


def display_picture(store: Store, image: Image) -> DisplayPicture:
    """The upright 8-bit picture at full size: the upload itself where browsers show it right, else a PNG."""
    data = store.blobs.get(image.blob_key)
    with Picture.open(io.BytesIO(data)) as picture:
        kind = (picture.format or "", picture.mode)
        upright = picture.getexif().get(_EXIF_ORIENTATION, 1) == 1
    if kind in _SHOWN_AS_IT_IS and upright:
        return DisplayPicture(f"image/{kind[0].lower()}", lambda: data)

    def as_png() -> bytes:
        with ROOM.take(image.width * image.height):
            return display_image(_decode(image, data))

    return DisplayPicture("image/png", as_png)


def thumbnail_bytes(store: Store, image: Image) -> bytes:
    """A JPEG whose longer side is at most 256 px."""
    file = _thumbnails() / image.sha256[:2] / f"{image.sha256}.jpg"
    if file.exists():
        return file.read_bytes()
    with ROOM.take(image.width * image.height):
        data = thumbnail(_decode(image, store.blobs.get(image.blob_key)), THUMBNAIL_SIDE)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{uuid.uuid4().hex}.unfinished")
    unfinished.write_bytes(data)
    os.replace(unfinished, file)  # a thumbnail is there whole or not at all
    return data


def sweep_thumbnails(store: Store) -> int:
    """Delete those of images that are there no more; returns how many that were."""
    with store.session(read_only=True) as session:
        known = set(session.scalars(select(Image.sha256)))
    gone = [file for file in _thumbnails().glob("*/*.jpg") if file.stem not in known]
    for file in gone:
        file.unlink(missing_ok=True)
    return len(gone)


def _thumbnails() -> Path:
    return get_settings().home / "thumbnails"


def _decode(image: Image, data: bytes) -> Picture.Image:
    # It was within the limits when it was taken in; they may have been lowered since.
    return decode_image(data, max_pixels=image.width * image.height, max_bytes=len(data), room=DECODING)
