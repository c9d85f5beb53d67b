"""A worker's reports of itself into the database, from a thread of its own."""

import logging
import threading

from db.operations.worker_reports import report
from db.tables.base import utc_now
from workers.context import get_store
from workers.operations.alive import touch
from workers.scoring.engine_host import engine_status

logger = logging.getLogger(__name__)

REPORT_SECONDS = 5.0


class Reporter:
    """Reports every few seconds until it is stopped, or the process ends.

    Args:
        name: as Celery calls the worker.
        queues: those that it takes work from.
    """

    def __init__(self, name: str, queues: list[str]) -> None:
        self._name, self._queues, self._started_at = name, queues, utc_now()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporting", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Report no more."""
        self._stopping.set()
        self._thread.join()

    def report(self) -> None:
        """Say how this worker is, now."""
        with get_store().session() as session:
            report(session, self._name, queues=self._queues, engine=engine_status(), started_at=self._started_at)

    def _run(self) -> None:
        while True:
            touch("worker")
            try:
                self.report()
            except Exception as error:  # the database may be away for a moment; the next report tries again
                logger.warning("This worker's report could not be written: %s", error)
            if self._stopping.wait(REPORT_SECONDS):
                return
