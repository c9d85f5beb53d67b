"""The data folder belongs to one app at a time: two would each run a worker on the same files."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


class InUse(Exception):
    """Another app has the data folder."""


@contextlib.contextmanager
def sole_use(home: Path) -> Iterator[None]:
    """Hold the data folder, which is made where missing. Raises InUse."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "app.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InUse(
                f"Another AnomalyLoop is using the data folder {home.resolve()}. Stop it, or set ANOMALYLOOP_HOME to "
                "another folder."
            ) from error
        yield
