"""Having work done: the one place that knows whether the page's own process does it or a Celery worker.

Embedded: scoring runs on one background thread of the page's process, runs go to the Celery worker. With
ANOMALYLOOP_BROKER_URL: all goes to Celery workers. A message that is lost costs time only: what is unscored or queued
is looked for every few seconds.
"""

import logging
from collections.abc import Sequence

from kombu.exceptions import OperationalError

from settings import get_settings
from workers.background import BackgroundScorer
from workers.celery_app import celery_app
from workers.context import get_store

logger = logging.getLogger(__name__)

_scorer: BackgroundScorer | None = None


def start() -> None:
    """Called once by the page's process: in the embedded mode, begins to load the engine and to score."""
    global _scorer
    if get_settings().embedded_broker:
        _scorer = BackgroundScorer(get_store())
        _scorer.start()


def stop() -> None:
    """Let the scoring in progress end, and begin no more."""
    global _scorer
    if _scorer is not None:
        _scorer.stop()
        _scorer = None


def request_scoring(image_ids: Sequence[int]) -> None:
    """Score these images before others."""
    if _scorer is not None:
        _scorer.request(image_ids)
    elif not get_settings().embedded_broker:
        _send("score_images", [list(image_ids)])


def prefer(image_ids: Sequence[int]) -> None:
    """Someone looks at these unscored images: score them next. Celery workers keep to their order, newest first."""
    if _scorer is not None:
        _scorer.request(image_ids)


def request_rescoring(project_id: int) -> None:
    """Score what the project's active prompts have not scored."""
    if _scorer is not None:
        _scorer.wake()
    elif not get_settings().embedded_broker:
        _send("score_project", [project_id])


def request_queue_refresh(project_id: int) -> None:
    """After a correction: find out anew how unlike the corrected images those are that wait for one."""
    if _scorer is not None:
        _scorer.refresh_queue(project_id)
    elif not get_settings().embedded_broker:
        _send("refresh_queue", [project_id])


def request_run(run_id: int) -> None:
    """Have a worker carry out a queued run."""
    _send("tune", [run_id])


def _send(task: str, arguments: list[object]) -> None:
    try:
        celery_app.send_task(f"workers.tasks.{task}", arguments, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker can't be reached (%s); %s%s waits until it can.", error, task, tuple(arguments))
