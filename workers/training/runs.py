"""Starting a run: by hand or when it is due, with its input frozen; and cancelling one."""

import logging
from datetime import timedelta

from sqlalchemy.orm import Session

from db.clock import shared_now
from db.images.annotations import waiting_corrections
from db.images.newest_annotations import newest_ids
from db.projects.projects import get_project, list_projects
from db.store import Store
from db.tables.core import Project, TuningRun
from db.training import runs as run_rows
from db.training.prompt_versions import active_version
from settings import get_settings
from workers.broker import dispatch
from workers.errors import NotReady, ProjectArchived, RunInProgress, TooFewCorrections
from workers.training.ending import ending

logger = logging.getLogger(__name__)


def start_run(
    store: Store,
    project_id: int,
    *,
    trigger: str,
    epochs: int | None = None,
    seed: int | None = None,
    author: str = "local",
) -> int:
    """Queue a run over the newest annotation of every corrected image, and announce it.

    Corrections of normal images alone are enough: the loss is defined without anomalous pixels, and "this is fine" is
    what lowers false alarms. Whether the result is used is decided on what it can be measured by.

    Args:
        store: where the project is.
        project_id: which.
        trigger: `manual` or `schedule`.
        epochs: the longest that it may take; None: the setting's.
        seed: of everything random in it; None: 0.
        author: who starts it; `schedule` where nobody does.

    Returns:
        The run's id.

    Raises:
        NotFound: no such project.
        ProjectArchived: it rests.
        NotReady: the project has no active prompts yet, because the model is still loading for the first time.
        TooFewCorrections: fewer corrected images than the setting asks for.
        RunInProgress: the project has a live run.
    """
    with store.session() as session:
        run = _freeze(session, get_project(session, project_id), trigger, epochs, seed or 0, author)
    dispatch.request_run(run.id)
    return run.id


def _freeze(session: Session, project: Project, trigger: str, epochs: int | None, seed: int, author: str) -> TuningRun:
    if project.archived_at is not None:
        raise ProjectArchived(project.name)
    settings = get_settings()
    annotation_ids = newest_ids(session, project.id)
    if len(annotation_ids) < settings.min_corrections:
        raise TooFewCorrections(len(annotation_ids), settings.min_corrections)
    parent = active_version(session, project.id)
    if parent is None:
        raise NotReady("The model is still loading for the first time. Retrain when the first image has its score.")
    return run_rows.create_run(
        session,
        project_id=project.id,
        trigger=trigger,
        config={"epochs": epochs or settings.tuning_epochs},
        seed=seed,
        training_annotation_ids=annotation_ids,
        holdout_annotation_ids=[],  # all are learnt from, and each is judged by a fit that has not seen it
        parent_version_id=parent.id,
        author=author,
    )


def start_due_runs(store: Store) -> list[int]:
    """Start a run in every project that is due for one; returns their ids."""
    with store.session(read_only=True) as session:
        due = [project.id for project in list_projects(session) if is_due(session, project)]
    started = []
    for project_id in due:
        try:
            started.append(start_run(store, project_id, trigger="schedule", author="schedule"))
        except (RunInProgress, TooFewCorrections) as error:  # someone was quicker, or it has to wait for more
            logger.info("Project %d was due for a run, but: %s", project_id, error)
    return started


def is_due(session: Session, project: Project) -> bool:
    """Whether enough corrections wait, or one has waited for long enough, and nothing speaks against a run."""
    if not project.settings.get("schedule", True):
        return False
    last = next(iter(run_rows.list_runs(session, project.id, limit=1)), None)
    if last is not None and _rests(session, last):
        return False
    waiting = waiting_corrections(session, project.id)
    if waiting.count == 0 or waiting.oldest_at is None:
        return False
    settings = get_settings()
    enough = project.settings.get("retrain_after", settings.retrain_after)
    longest = timedelta(hours=project.settings.get("retrain_hours", settings.retrain_hours))
    return waiting.count >= enough or shared_now(session) - waiting.oldest_at >= longest


def _rests(session: Session, last: TuningRun) -> bool:
    """A live run, or one that ended without a result on the same corrections: it would end so again, and again."""
    if last.finished_at is None:
        return True
    if last.state == "succeeded":
        return False
    tried = {*last.training_annotation_ids, *last.holdout_annotation_ids}
    return tried.issuperset(newest_ids(session, last.project_id))


def cancel_run(store: Store, run_id: int) -> TuningRun:
    """Cancel a queued run now, ask a running one to stop, leave a finished one as it is. Raises NotFound."""
    with ending(store, run_id) as session:
        return run_rows.request_cancel(session, run_id)
