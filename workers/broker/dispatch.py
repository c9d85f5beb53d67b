"""Having work done: the one place that knows whether the page's own process does it or a Celery worker.

Embedded: scoring runs on one background thread of the page's process, runs go to the Celery worker. With
ANOMALYLOOP_BROKER_URL: all goes to Celery workers. A message that is lost costs time only: what is unscored or queued
is looked for every few seconds.
"""

import logging
import time
from collections.abc import Sequence

from kombu.exceptions import OperationalError

from settings import get_settings
from workers.backbones.changes import ModelChanges
from workers.celery_app import celery_app
from workers.context import get_store
from workers.scoring.background import BackgroundScorer

logger = logging.getLogger(__name__)

_scorer: BackgroundScorer | None = None
_changes: ModelChanges | None = None
# Images of which a preview was asked for by message, and when.
_asked: dict[int, float] = {}
_ASK_SECONDS = 15.0
# Images of one message to Celery workers.
_TOGETHER = 8


def start() -> None:
    """Called once by the page's process: in the embedded mode, begins to load the engine and to score."""
    global _scorer, _changes
    if get_settings().embedded_broker:
        _scorer = BackgroundScorer(get_store())
        _scorer.start()
        _changes = ModelChanges(get_store(), brings=True)
        _changes.start()


def stop() -> None:
    """Let the scoring in progress end, and begin no more."""
    global _scorer, _changes
    if _changes is not None:
        _changes.stop()
        _changes = None
    if _scorer is not None:
        _scorer.stop()
        _scorer = None


def request_scoring(image_ids: Sequence[int]) -> None:
    """Score these images before others."""
    if _scorer is not None:
        _scorer.request(image_ids)
    elif not get_settings().embedded_broker:
        for start in range(0, len(image_ids), _TOGETHER):  # several workers may take them
            _send("score_images", [list(image_ids[start : start + _TOGETHER])])


def request_inspection(inspection_id: str) -> None:
    """Have a worker elsewhere answer this inspection."""
    _send("inspect", [inspection_id])


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


def request_queue_order() -> None:
    """After another threshold: bring the queue in its order."""
    _send("order_queues", [])


def request_previews(project_id: int) -> None:
    """After a correction: show what the corrections so far make of the images that come next."""
    if _scorer is not None:
        _scorer.refresh_previews(project_id)
    elif not get_settings().embedded_broker:
        _send("refresh_previews", [project_id])


def request_preview(project_id: int, image_id: int) -> None:
    """Someone looks at this image, and others of its project have previews: make one of it too."""
    if _scorer is not None:
        _scorer.preview(project_id, image_id)
    elif not get_settings().embedded_broker and _asked_anew(image_id):
        _send("preview_images", [project_id, [image_id]])


def _asked_anew(image_id: int) -> bool:
    """Whether the last message about this image is some while ago: a page that shows it asks every few seconds."""
    now = time.monotonic()
    for known in [one for one, when in _asked.items() if now - when > _ASK_SECONDS]:
        del _asked[known]
    return _asked.setdefault(image_id, now) == now


def request_run(run_id: int) -> None:
    """Have a worker carry out a queued run."""
    _send("tune", [run_id])


def _send(task: str, arguments: list[object]) -> None:
    try:
        celery_app.send_task(f"workers.tasks.{task}", arguments, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("The broker can't be reached (%s); %s%s waits until it can.", error, task, tuple(arguments))
