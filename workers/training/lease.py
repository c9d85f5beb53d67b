"""A worker's hold on a run: heartbeats from a thread of its own, and the end of the run when the hold is lost."""

import logging
import os
import socket
import threading
import uuid
from typing import Any

from db.store import Store
from db.training.runs import get_run, give_back, heartbeat

logger = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another worker has the run now; this one writes nothing more."""


class RunCancelled(Exception):
    """A person asked the run to stop."""


def worker_name() -> str:
    """Another name for every attempt, so that a run knows its own worker."""
    return f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"


_held: "set[Lease]" = set()
_held_lock = threading.Lock()


def give_back_all() -> int:
    """This process ends: its runs wait for another worker, as if they had not been taken; how many they were.

    Whatever still works on one finds its lease lost, and stops.
    """
    with _held_lock:
        leases = list(_held)
    return sum(lease.give_back() for lease in leases)


class Lease:
    """A context that renews the lease of a claimed run three times in its length.

    Args:
        store: where the run is.
        run_id: which run.
        worker: the name that claimed it.
        seconds: the lease's length.
    """

    def __init__(self, store: Store, run_id: int, worker: str, seconds: float) -> None:
        self._store, self._run_id, self._worker, self._seconds = store, run_id, worker, seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{run_id}", daemon=True)

    def __enter__(self) -> "Lease":
        self._thread.start()
        with _held_lock:
            _held.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        with _held_lock:
            _held.discard(self)
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(self._seconds / 3):
            try:
                with self._store.session() as session:
                    heartbeat(session, self._run_id, self._worker)
            except Exception:  # the database may be away for a moment; the next beat tries again
                logger.warning("The heartbeat of run %d could not be written.", self._run_id, exc_info=True)

    def give_back(self) -> bool:
        """Put the run back into the queue, at no cost to its attempts; False where it is held no more."""
        with self._store.session() as session:
            given = give_back(session, self._run_id, self._worker)
        if given:
            logger.info("Run %d was given back, as this worker ends; it goes on from its checkpoint.", self._run_id)
        return given

    def renew(self, **values: Any) -> None:
        """Write progress with a heartbeat. Raises LeaseLost or RunCancelled: then stop."""
        with self._store.session() as session:
            if heartbeat(session, self._run_id, self._worker, **values):
                return
            run = get_run(session, self._run_id)
            if run.worker == self._worker and run.cancel_requested:
                raise RunCancelled
        raise LeaseLost(f"run {self._run_id} is held by {run.worker or 'nobody'} now")
