"""A zip that is sent while it is being made: no file of it is ever whole in memory, or on disk, but one at a time."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# What pictures are is compressed already.
_STORED = (".png", ".jpg", ".jpeg", ".webp")
# Every zip of the same images is the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Entry:
    """One file of a zip: its path in it, and its bytes."""

    path: str
    data: bytes


def zip_stream(entries: Iterable[Entry]) -> Iterator[bytes]:
    """The bytes of a zip of these files, in pieces, each as soon as its file is there."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        for entry in entries:
            info = zipfile.ZipInfo(entry.path, _DATE)
            stored = entry.path.lower().endswith(_STORED)
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, entry.data)
            yield pipe.take()
    yield pipe.take()


class _Pipe(io.RawIOBase):
    """What ZipFile writes to: it cannot seek, so that ZipFile never goes back."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # any buffer; ZipFile gives bytes
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken
