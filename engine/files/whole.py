"""Files that appear whole or not at all."""

import os
from pathlib import Path


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the file and move it into place. Raises OSError, and then leaves neither half a file nor another."""
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def check_writable(path: Path) -> None:
    """Look before long work begins whether its result can be written; leaves nothing behind.

    Raises:
        OSError: it can't; the message says why and what to do.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, and a file is to be written there. Name a file in it by --out.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {path.parent} to write {path.name} into. Make it, or change --out."
        )
    unfinished = path.with_name(path.name + ".part")
    try:
        unfinished.touch()
        unfinished.unlink()
    except OSError as error:
        raise OSError(f"{path} can't be written ({error.strerror or error}). Choose another place by --out.") from error
