"""What people send as labels: zips and loose files, opened with care. A name in them is data, never a path of ours."""

import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

from settings import Settings
from workers.errors import LabelFileError
from workers.exchange.zip_names import entry_names, path_of

# What zipfile and the decompressors raise for zips that are damaged, or were made to be.
_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(EOFError, OSError, ValueError, OverflowError, NotImplementedError),
)


@dataclass(frozen=True)
class SourceFile:
    """A file that came in: its path as the sender names it, and how its bytes are read (may raise LabelFileError)."""

    path: PurePosixPath
    read: Callable[[], bytes]


def open_uploads(uploads: Sequence[tuple[str, BinaryIO]], settings: Settings) -> list[list[SourceFile]]:
    """The files of each zip as a group, and all loose files together as another.

    Args:
        uploads: file name and open file of each; the files must stay open while what is returned is in use.
        settings: for the limits: `max_import_mb` and `max_import_files` over all, unpacked; `max_upload_mb` a file.

    Raises:
        LabelFileError: too much, too many, or a damaged zip.
    """
    groups: list[list[SourceFile]] = []
    loose: list[SourceFile] = []
    total = 0
    for name, file in uploads:
        if zipfile.is_zipfile(file):
            files, size = _open_zip(name, file, settings)
            groups.append(files)
        else:
            size = file.seek(0, 2)
            loose.append(_Loose(name, file, size, settings).source())
        total += size
        _check_total(total, sum(map(len, groups)) + len(loose), settings)
    return [*groups, loose] if loose else groups


def _check_total(size: int, count: int, settings: Settings) -> None:
    if size > settings.max_import_mb * 1e6:
        raise LabelFileError(
            f"Unpacked, the labels have {size / 1e6:.0f} MB or more, and the limit is {settings.max_import_mb:g} MB. "
            "Send them in parts, or raise ANOMALYLOOP_MAX_IMPORT_MB."
        )
    if count > settings.max_import_files:
        raise LabelFileError(
            f"There are over {settings.max_import_files:,} files. Send them in parts, or raise "
            "ANOMALYLOOP_MAX_IMPORT_FILES."
        )


def _open_zip(name: str, file: BinaryIO, settings: Settings) -> tuple[list[SourceFile], int]:
    try:
        archive = zipfile.ZipFile(file)
    except _DAMAGED as error:
        raise LabelFileError(f"The zip {name} is damaged and can't be opened ({error}). Make it anew.") from error
    infos = archive.infolist()
    names = zip(entry_names(infos), infos, strict=True)
    named = [(path_of(name), entry) for name, entry in names if name and not name.endswith(("/", "\\"))]
    entries = [(path, entry) for path, entry in named if _is_content(path)]
    files = [SourceFile(path, partial(_read_entry, archive, entry, settings)) for path, entry in entries]
    return files, sum(entry.file_size for _, entry in entries)


def _is_content(path: PurePosixPath) -> bool:
    """Archives made on a Mac hold `__MACOSX/._name.png` beside `name.png`."""
    return not path.name.startswith(".") and "__MACOSX" not in path.parts


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, settings: Settings) -> bytes:
    _check_size(entry.file_size, settings)
    try:
        return archive.read(entry)  # never more than the size that the zip states, which was checked
    except _DAMAGED as error:
        raise LabelFileError(f"It is damaged in the zip ({error}). Make the zip anew.") from error
    except RuntimeError as error:  # what zipfile raises for a password, and for a compression that it can't undo
        raise LabelFileError(f"It can't be unpacked ({error}). Make a plain zip without a password.") from error


def _check_size(size: int, settings: Settings) -> None:
    if size > settings.max_upload_mb * 1e6:
        raise LabelFileError(
            f"The file has {size / 1e6:.1f} MB and the limit is {settings.max_upload_mb:g} MB. "
            "Save it smaller, or raise ANOMALYLOOP_MAX_UPLOAD_MB."
        )


@dataclass(frozen=True)
class _Loose:
    name: str
    file: BinaryIO
    size: int
    settings: Settings

    def source(self) -> SourceFile:
        return SourceFile(PurePosixPath(path_of(self.name).name), self.read)

    def read(self) -> bytes:
        _check_size(self.size, self.settings)
        self.file.seek(0)
        return self.file.read()
