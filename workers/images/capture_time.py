"""When an image was taken, as its EXIF says."""

import contextlib
import io
from datetime import datetime

from PIL import Image

from db.images.part_facts import time_in

_EXIF, _ORIGINAL, _OFFSET, _CHANGED = 0x8769, 0x9003, 0x9011, 0x0132


def captured_at(data: bytes) -> datetime | None:
    """The time of capture of an image file, in its camera's zone or else taken as UTC; None where it has none."""
    with contextlib.suppress(Exception):  # damaged EXIF says nothing, and the image is as good as without it
        with Image.open(io.BytesIO(data)) as image:
            exif = image.getexif()
        inner = exif.get_ifd(_EXIF)
        when = time_in(str(inner.get(_ORIGINAL) or exif.get(_CHANGED) or ""))
        if when is None or not isinstance(inner.get(_OFFSET), str):
            return when
        return datetime.fromisoformat(when.replace(tzinfo=None).isoformat() + inner[_OFFSET].strip("\0 "))
    return None
