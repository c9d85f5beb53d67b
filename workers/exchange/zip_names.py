"""What the files in a zip are called: zips of Windows and of a Mac's Finder don't say in which encoding names are."""

import contextlib
import struct
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import PurePosixPath

from engine.files.encodings import likely_encoding

_UTF8 = 0x800  # the flag of a name in UTF-8 (APPNOTE.TXT, 4.4.4)
_UNICODE_PATH = 0x7075  # the extra field with a name in UTF-8 beside the old one (4.6.9)


def entry_names(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The names of the files of one zip, as their sender sees them.

    A name in UTF-8 says so, in its flag or in a field of its own; all others are taken to be in one encoding.
    """
    told = [_told(entry) for entry in entries]
    raw = [_raw(entry) for entry, name in zip(entries, told, strict=True) if name is None]
    encoding = likely_encoding([name for name in raw if not name.isascii()]) or "cp437"
    return [
        _raw(entry).decode(encoding, errors="replace") if name is None else name
        for entry, name in zip(entries, told, strict=True)
    ]


def path_of(name: str) -> PurePosixPath:
    """A name in a zip as a path: some programs of Windows write `\\` between folders."""
    return PurePosixPath(name.replace("\\", "/"))


def _told(entry: zipfile.ZipInfo) -> str | None:
    return entry.orig_filename.partition("\0")[0] if entry.flag_bits & _UTF8 else _unicode_path(entry)


def _raw(entry: zipfile.ZipInfo) -> bytes:
    """The name's bytes: zipfile reads those without the flag as cp437."""
    return entry.orig_filename.partition("\0")[0].encode("cp437", errors="replace")


def _unicode_path(entry: zipfile.ZipInfo) -> str | None:
    """The name in its own field, where that is there and belongs to this name."""
    at = 0
    while at + 4 <= len(entry.extra):
        kind, length = struct.unpack_from("<HH", entry.extra, at)
        field = entry.extra[at + 4 : at + 4 + length]
        if kind == _UNICODE_PATH and len(field) > 5 and _belongs(field, entry):
            with contextlib.suppress(UnicodeDecodeError):
                return field[5:].decode("utf-8")
        at += 4 + length
    return None


def _belongs(field: bytes, entry: zipfile.ZipInfo) -> bool:
    """Whether the field is of the version that is known, and of this name."""
    return field[0] == 1 and bool(struct.unpack_from("<I", field, 1)[0] == zlib.crc32(_raw(entry)))
