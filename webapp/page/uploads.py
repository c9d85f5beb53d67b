"""Where files that are chosen on the page lie until an event takes them; those that none took are deleted.

So are thumbnails of images that are there no more: both are files of this process's own machine.
"""

import logging
import os
import shutil
import threading
import time
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from settings import Settings
from workers.context import get_store
from workers.images.pictures import sweep_thumbnails

logger = logging.getLogger(__name__)

_SWEEP_SECONDS = 600.0


def uploads_folder(settings: Settings) -> Path:
    """In the data folder, for this user alone; made where missing."""
    folder = settings.home.resolve() / "page_uploads"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def use_uploads_folder(settings: Settings) -> None:
    """Have Gradio keep what it takes in there; it asks when it is imported and when components are made."""
    os.environ["GRADIO_TEMP_DIR"] = str(uploads_folder(settings))


def sweep(folder: Path, older_than: float) -> int:
    """Delete what came so many seconds ago, and what Gradio left; returns how many that were."""
    swept = 0
    for one in folder.iterdir():
        try:
            if time.time() - one.lstat().st_mtime < older_than:
                continue
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one)
            else:
                one.unlink(missing_ok=True)
            swept += 1
        except OSError as error:
            logger.warning("The upload %s is left where it is (%s); it is looked for again.", one, error)
    return swept


class Sweeper:
    """A thread that sweeps now and then."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin; returns at once."""
        threading.Thread(target=self._run, name="sweeper", daemon=True).start()

    def stop(self) -> None:
        """Sweep no more."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            swept = sweep(uploads_folder(self._settings), 3600 * self._settings.page_upload_hours)
            if swept:
                logger.info("Deleted %d uploads to the page that nothing took.", swept)
            try:
                sweep_thumbnails(get_store())
            except SQLAlchemyError as error:  # it is away for a moment; the next sweep finds them
                logger.warning("Thumbnails of deleted images are left where they are: %s", error)
            self._stopping.wait(_SWEEP_SECONDS)
