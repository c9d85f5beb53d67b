"""What there is to watch: images, runs, scores, queues and workers of an installation, as figures."""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import func, select

from db.clock import about_shared_now
from db.images.rows import count_by_status
from db.operations.worker_reports import worker_reports
from db.projects.projects import list_projects
from db.store import Store
from db.tables.core import TuningRun
from db.tables.operations import WorkerReport
from db.thresholds.score_counts import count_up_to_step, sum_of_scores
from db.training.prompt_versions import active_version
from settings import get_settings
from workers.broker.queues import queue_lengths
from workers.scoring.engine_host import engine_status
from workers.thresholds.drift import score_drift

logger = logging.getLogger(__name__)

# A worker that has not reported for so many seconds counts as gone; it reports every five.
GONE_AFTER_SECONDS = 30.0
# In which the scores from 0 to 1 are counted.
SCORE_STEPS = 20


@dataclass(frozen=True)
class ProjectFigures:
    """A project: images by status, runs by state, scores of the active prompts, and their drift.

    Attributes:
        scores_up_to: (SCORE_STEPS,) how many scores are at most the upper end of each step from 0 to 1.
        scores_sum: all scores together.
    """

    name: str
    images: dict[str, int]
    runs: dict[str, int]
    scores_up_to: list[int]
    scores_sum: float
    drift: float | None


@dataclass(frozen=True)
class Figures:
    """An installation; `queues` is None where the broker can't be reached."""

    projects: list[ProjectFigures] = field(default_factory=list)
    queues: dict[str, int] | None = None
    workers: list[WorkerReport] = field(default_factory=list)

    @property
    def cache(self) -> dict[str, tuple[int, int]]:
        """Process → features found in its cache, and not found; the page's own process is `page`."""
        engines = {one.name: one.engine for one in self.workers}
        if get_settings().embedded_broker:  # there the page's process scores
            engines["page"] = engine_status()
        return {name: (engine.get("cache_hits", 0), engine.get("cache_misses", 0)) for name, engine in engines.items()}


def figures(store: Store, project_ids: Collection[int] | None = None) -> Figures:
    """Everything, asked now, of these projects alone (None: of all). Raises SQLAlchemyError: the database is away."""
    with store.session(read_only=True) as session:
        runs: dict[int, dict[str, int]] = {}
        states = select(TuningRun.project_id, TuningRun.state, func.count()).group_by(
            TuningRun.project_id, TuningRun.state
        )
        for project_id, state, count in session.execute(states):
            runs.setdefault(project_id, {})[state] = count
        projects = []
        for project in list_projects(session):
            if project_ids is not None and project.id not in project_ids:
                continue
            version = active_version(session, project.id)
            projects.append(
                ProjectFigures(
                    project.name,
                    count_by_status(session, project.id),
                    runs.get(project.id, {}),
                    count_up_to_step(session, version.id, SCORE_STEPS) if version else [0] * SCORE_STEPS,
                    sum_of_scores(session, version.id) if version else 0.0,
                    score_drift(session, project.id),
                )
            )
        workers = worker_reports(session)
    return Figures(projects, lengths_or_none(), workers)


def lengths_or_none() -> dict[str, int] | None:
    """Queue → waiting messages; None, and a line in the log, where the broker is away."""
    try:
        return queue_lengths()
    except Exception as error:  # whatever the driver of the day raises
        logger.warning("The broker does not tell its queues' lengths: %s", error)
        return None


def silent_for(report: WorkerReport) -> float:
    """Seconds since a worker last reported."""
    return (about_shared_now() - report.reported_at).total_seconds()
