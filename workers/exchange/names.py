"""What files are called in an export: as people named them, where any system takes that; each once, with a suffix."""

import io
from collections.abc import Sequence

from PIL import Image as Picture

from engine.images.suffixes import IMAGE_SUFFIXES
from names import compared
from workers.exchange.safe_names import safe_name

# Suffixes that readers of data sets look for; anything else is named by what the file is.
_KNOWN = {suffix.removeprefix(".") for suffix in IMAGE_SUFFIXES}
_ENDING = "_mask"
# What is put behind a stem: the ending of a mask, and the longest suffix.
_ROOM = len(_ENDING) + 1 + max(len(suffix) for suffix in _KNOWN)


class ExportedNames:
    """File names for images, such that neither an image nor its mask can be taken for another's.

    Args:
        images: id and file name of each image. Names are compared without case and suffix; of several alike, all but
            the first carry their id.
    """

    def __init__(self, images: Sequence[tuple[int, str]]) -> None:
        self._names: dict[int, tuple[str, str]] = {}
        taken: set[str] = set()
        for image_id, name in images:
            stem, suffix = _split(name)
            if taken & _claims(stem):
                number = f"-{image_id}"
                stem = safe_name(stem, otherwise="image", room=_ROOM + len(number)) + number
            taken |= _claims(stem)
            self._names[image_id] = stem, suffix

    def of(self, image_id: int, data: bytes) -> str:
        """The name of an image; its bytes decide on the suffix where the file name has none that is known."""
        stem, suffix = self._names[image_id]
        return f"{stem}.{suffix or _format_of(data)}"


def _split(name: str) -> tuple[str, str]:
    stem, _, suffix = name.rpartition(".")
    stem, suffix = (stem, suffix) if stem and suffix.lower() in _KNOWN else (name, "")
    return safe_name(stem, otherwise="image", room=_ROOM), suffix


def _claims(stem: str) -> set[str]:
    return {compared(stem), compared(stem) + _ENDING}


def _format_of(data: bytes) -> str:
    with Picture.open(io.BytesIO(data)) as picture:
        return "jpg" if picture.format == "JPEG" else (picture.format or "png").lower()
