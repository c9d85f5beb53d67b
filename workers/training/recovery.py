"""Finding runs that were lost: a worker died with them, or the message that announced them did not arrive."""

import logging
from datetime import timedelta

from db.clock import shared_now
from db.store import Store
from db.tables.core import TuningRun
from db.training.runs import end_stale, queued_runs, requeue, stale_runs
from settings import get_settings
from workers.broker import dispatch
from workers.operations.figures import lengths_or_none
from workers.training.ending import ending

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
# A run that was queued later than this many seconds ago is on its way to a worker already.
_ON_ITS_WAY_SECONDS = 5.0


def recover_runs(store: Store) -> list[int]:
    """Queue the runs whose worker is silent, end those that were tried often enough, announce all that wait.

    Returns:
        The ids of the runs that wait.
    """
    lease_seconds = get_settings().lease_seconds
    with store.session(read_only=True) as session:
        stale = stale_runs(session, lease_seconds)
    for run in stale:
        _recover(store, run, lease_seconds)
    with store.session(read_only=True) as session:
        earliest = shared_now(session) - timedelta(seconds=_ON_ITS_WAY_SECONDS)
        waiting = [run.id for run in queued_runs(session) if run.created_at < earliest]
    if not _announced_already(len(waiting)):
        for run_id in waiting:
            dispatch.request_run(run_id)
    return waiting


def _announced_already(waiting: int) -> bool:
    """Whether messages enough wait for a worker: it may be busy for hours, and one message a run is enough."""
    lengths = lengths_or_none() if waiting else {}
    return waiting == 0 or (lengths is not None and lengths.get("tuning", 0) >= waiting)


def _recover(store: Store, run: TuningRun, lease_seconds: float) -> None:
    with ending(store, run.id) as session:
        if run.cancel_requested:
            end_stale(session, run.id, lease_seconds, state="cancelled", error="")
        elif run.attempt >= MAX_ATTEMPTS:
            reason = (
                f"Its worker stopped answering {run.attempt} times, the last time while it was at: "
                f"{run.stage or 'the start'}. See the worker's log for the reason (often too little memory), then "
                "start a new run."
            )
            end_stale(session, run.id, lease_seconds, state="failed", error=reason)
            logger.error("Run %d failed. %s", run.id, reason)
        elif requeue(session, run.id, lease_seconds):
            logger.warning("The worker of run %d stopped answering; the run is queued again.", run.id)
