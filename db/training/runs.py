"""Tuning runs: one live run a project, taken by a worker with a lease that heartbeats renew.

Every step of a run's life is one UPDATE with a condition, so that of two workers exactly one succeeds. A lease is
stale when its heartbeat is older than `lease_seconds`, both by the database's clock (`db/clock.py`).
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.clock import shared_now
from db.errors import RunInProgress
from db.images.newest_annotations import mark_learnt
from db.lookup import get_row
from db.tables.core import LIVE_RUN_STATES, RUN_STATES, TuningRun
from db.webhooks.messages import tell

HELD_STATES = ("running", "evaluating")
FINAL_STATES = tuple(state for state in RUN_STATES if state not in LIVE_RUN_STATES)


def create_run(
    session: Session,
    *,
    project_id: int,
    trigger: str,
    config: dict[str, Any],
    seed: int,
    training_annotation_ids: list[int],
    holdout_annotation_ids: list[int],
    parent_version_id: int | None,
    author: str = "local",
) -> TuningRun:
    """Queue a run with its input frozen.

    Args:
        session: a writing session.
        project_id: whose.
        trigger: `manual` or `schedule`.
        config: epochs and what else steers the tuning.
        seed: of everything random in it.
        training_annotation_ids: learnt from.
        holdout_annotation_ids: measured on.
        parent_version_id: the active version, from which it starts.
        author: who started it.

    Raises:
        RunInProgress: the project has a live run.
    """
    run = TuningRun(
        project_id=project_id,
        trigger=trigger,
        config=config,
        seed=seed,
        training_annotation_ids=training_annotation_ids,
        holdout_annotation_ids=holdout_annotation_ids,
        parent_version_id=parent_version_id,
        author=author,
        created_at=shared_now(session),
    )
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError:
        live = live_run(session, project_id)
        if live is None:
            raise
        raise RunInProgress(live.id) from None
    return run


def get_run(session: Session, run_id: int) -> TuningRun:
    """The run of this id; raises NotFound."""
    return get_row(session, TuningRun, run_id)


def list_runs(session: Session, project_id: int, *, limit: int = 50) -> list[TuningRun]:
    """The runs of a project, the newest first."""
    runs = select(TuningRun).where(TuningRun.project_id == project_id)
    return list(session.scalars(runs.order_by(TuningRun.id.desc()).limit(limit)))


def run_behind(session: Session, version_id: int) -> TuningRun | None:
    """The run that a version came out of; None where it was shipped or imported."""
    return session.scalars(select(TuningRun).where(TuningRun.candidate_version_id == version_id)).one_or_none()


def live_run(session: Session, project_id: int) -> TuningRun | None:
    """The run that is queued, running or evaluating, if there is one."""
    live = select(TuningRun).where(TuningRun.project_id == project_id, TuningRun.state.in_(LIVE_RUN_STATES))
    return session.scalars(live).one_or_none()


def queued_runs(session: Session) -> list[TuningRun]:
    """The runs of all projects that wait for a worker, the oldest first."""
    return list(session.scalars(select(TuningRun).where(TuningRun.state == "queued").order_by(TuningRun.id)))


def stale_runs(session: Session, lease_seconds: float) -> list[TuningRun]:
    """The runs of all projects whose worker has been silent for longer than its lease, the oldest first."""
    return list(session.scalars(select(TuningRun).where(_stale(session, lease_seconds)).order_by(TuningRun.id)))


def claim(session: Session, run_id: int, worker: str, lease_seconds: float) -> bool:
    """Take a run that is queued or whose lease is stale; False when another has it or it is over.

    `worker` must be another name for every attempt (host, process and something random): by it the run knows its own.
    """
    now = shared_now(session)
    free = or_(TuningRun.state == "queued", _stale(session, lease_seconds))
    values = {
        "state": "running",
        "worker": worker,
        "attempt": TuningRun.attempt + 1,
        "heartbeat_at": now,
        "started_at": func.coalesce(TuningRun.started_at, now),
    }
    return _change(session, run_id, free, values)


def heartbeat(
    session: Session,
    run_id: int,
    worker: str,
    *,
    progress: float | None = None,
    stage: str | None = None,
    losses: list[dict[str, Any]] | None = None,
    state: str | None = None,
    encoded_images: int | None = None,
    checkpoint_blob_key: str | None = None,
) -> bool:
    """Renew the lease and write what is given; None leaves as it was.

    Args:
        session: a writing session.
        run_id: which run.
        worker: the name that claimed it.
        progress: 0–1.
        stage: one line for people.
        losses: one dict an epoch, all epochs so far.
        state: `running` or `evaluating`.
        encoded_images: images whose features were not in the cache.
        checkpoint_blob_key: from where another worker can go on.

    Returns:
        False when the lease is lost or the run was cancelled: stop, and write nothing more.
    """
    if state not in (None, *HELD_STATES):
        raise ValueError(f"A heartbeat can't make a run {state!r}; `finish` ends one.")
    given = {
        "progress": progress,
        "stage": stage,
        "losses": losses,
        "state": state,
        "encoded_images": encoded_images,
        "checkpoint_blob_key": checkpoint_blob_key,
    }
    values = {name: value for name, value in given.items() if value is not None}
    held = and_(_held_by(worker), TuningRun.cancel_requested.is_(False))
    return _change(session, run_id, held, {"heartbeat_at": shared_now(session), **values})


def finish(
    session: Session,
    run_id: int,
    worker: str,
    *,
    state: str,
    decision: str = "",
    metrics: dict[str, Any] | None = None,
    error: str = "",
    candidate_version_id: int | None = None,
) -> bool:
    """End a run that this worker holds.

    Args:
        session: a writing session; to promote in the same transaction, raise when the answer is False.
        run_id: which run.
        worker: the name that claimed it.
        state: `succeeded`, `failed` or `cancelled`.
        decision: one sentence: what was decided and why.
        metrics: candidate, active, difference, interval, method.
        error: for a person: what went wrong and what to do.
        candidate_version_id: the version that came out.

    Returns:
        False when the lease is lost: then nothing was written.
    """
    if state not in FINAL_STATES:
        raise ValueError(f"A run ends as one of {FINAL_STATES}, not {state!r}.")
    values: dict[str, Any] = {
        "state": state,
        "decision": decision,
        "metrics": metrics or {},
        "error": error,
        "candidate_version_id": candidate_version_id,
        "finished_at": shared_now(session),
    }
    if state == "succeeded":
        values["progress"] = 1.0
    return _end(session, run_id, _held_by(worker), values)


def requeue(session: Session, run_id: int, lease_seconds: float) -> bool:
    """Put a run whose worker is silent back into the queue; False when it has spoken or the run is over."""
    return _change(session, run_id, _stale(session, lease_seconds), {"state": "queued", "worker": ""})


def give_back(session: Session, run_id: int, worker: str) -> bool:
    """Put a run that this worker holds back into the queue, as if it had not been taken: what it needs is away.

    False when the lease is lost.
    """
    values = {"state": "queued", "worker": "", "attempt": TuningRun.attempt - 1}
    return _change(session, run_id, _held_by(worker), values)


def end_stale(session: Session, run_id: int, lease_seconds: float, *, state: str, error: str) -> bool:
    """End a run whose worker is silent; False when it has spoken or the run is over.

    Args:
        session: a writing session.
        run_id: which run.
        lease_seconds: after how long a worker counts as silent.
        state: `failed` or `cancelled`.
        error: for a person: why it ended and what to do.
    """
    values = {"state": state, "error": error, "finished_at": shared_now(session)}
    return _end(session, run_id, _stale(session, lease_seconds), values)


def request_cancel(session: Session, run_id: int) -> TuningRun:
    """Cancel a queued run at once; tell the worker of a running one to stop; leave a finished one as it is.

    Raises NotFound.
    """
    queued = TuningRun.state == "queued"
    at_once = {"state": "cancelled", "cancel_requested": True, "finished_at": shared_now(session)}
    if not _end(session, run_id, queued, at_once):
        _change(session, run_id, TuningRun.state.in_(HELD_STATES), {"cancel_requested": True})
    return get_run(session, run_id)


def _held_by(worker: str) -> ColumnElement[bool]:
    return and_(TuningRun.worker == worker, TuningRun.state.in_(HELD_STATES))


def _stale(session: Session, lease_seconds: float) -> ColumnElement[bool]:
    oldest = shared_now(session) - timedelta(seconds=lease_seconds)
    return and_(TuningRun.state.in_(HELD_STATES), TuningRun.heartbeat_at < oldest)


def _end(session: Session, run_id: int, condition: ColumnElement[bool], values: dict[str, Any]) -> bool:
    """The same for the last change of a run, of which webhooks are told. It goes on from nowhere any more."""
    if not _change(session, run_id, condition, {**values, "checkpoint_blob_key": None}):
        return False
    run = get_run(session, run_id)
    if run.state == "succeeded":
        mark_learnt(session, run.project_id, [*run.training_annotation_ids, *run.holdout_annotation_ids])
    facts = ("state", "trigger", "decision", "error", "candidate_version_id")
    tell(session, run.project_id, "run.finished", {"run_id": run.id, **{name: getattr(run, name) for name in facts}})
    return True


def _change(session: Session, run_id: int, condition: ColumnElement[bool], values: dict[str, Any]) -> bool:
    """UPDATE the run if the condition holds; a row of it that is already loaded is read anew."""
    statement = update(TuningRun).where(TuningRun.id == run_id, condition).values(**values).returning(TuningRun)
    options = {"populate_existing": True, "synchronize_session": False}
    return session.scalars(statement, execution_options=options).one_or_none() is not None
