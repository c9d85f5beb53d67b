"""The data folder belongs to one app at a time: two would each run a worker on the same files."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class InUse(Exception):
    """Another app has the data folder."""


@contextlib.contextmanager
def sole_use(home: Path) -> Iterator[None]:
    """Hold the data folder, which is made where missing. Raises InUse."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "app.lock").open("w") as lock:
        try:
            _lock(lock)
        except OSError as error:
            raise InUse(
                f"Another AnomalyLoop is using the data folder {home.resolve()}. Stop it, or set ANOMALYLOOP_HOME to "
                "another folder."
            ) from error
        yield


def _lock(file: IO[str]) -> None:
    """Lock a file for this process until it is closed. Raises OSError where another one has it."""
    if sys.platform == "win32":
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
