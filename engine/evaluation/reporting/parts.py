"""Finished parts of an evaluation on disk, so that a run that was cut off goes on where it was."""

import errno
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from engine.errors import EngineError
from engine.evaluation.datasets.item import LabelledImage
from engine.evaluation.reporting.results import ClassResult
from engine.files import whole


class Parts:
    """Results of classes by the key of all that they depend on.

    Args:
        folder: where; made when it isn't there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, key: str) -> Path:
        """The file of a result; `key` names all that it depends on."""
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.json"

    def get(self, key: str) -> ClassResult | None:
        """A result that was finished, or None; a damaged file counts as none."""
        try:
            return ClassResult(**json.loads(self.path(key).read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def put(self, key: str, result: ClassResult) -> None:
        """Keep a result; the file appears whole or not at all."""
        write_whole(self.path(key), json.dumps(asdict(result)).encode())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all. Raises EngineError when the disk is full."""
    try:
        whole.write_whole(path, data)
    except OSError as error:
        raise_if_full(error)
        raise


def describe_files(images: Sequence[LabelledImage]) -> str:
    """Text that changes when any file of these images or masks does."""
    lines = []
    for one in images:
        for path in (one.image, *one.masks):
            status = path.stat() if path is not None and path.exists() else None
            lines.append(f"{path} {one.label} {status and (status.st_size, status.st_mtime_ns)}")
    return "\n".join(lines)


def raise_if_full(error: OSError) -> None:
    """Raise EngineError in clear words when the error says that a disk is full."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise EngineError(
            f"The disk is full ({error.filename or 'while features, maps or results were written'}). What is finished "
            "is kept: make room, or choose other folders by --out and --cache, and run the same command again; it goes "
            "on from there."
        ) from error
