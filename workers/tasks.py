"""The Celery tasks: one line each over a function that works without Celery."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from workers.broker import dispatch
from workers.celery_app import celery_app
from workers.context import get_store
from workers.images import novelty, queue_orders
from workers.operations import pruning
from workers.operations.first_imports import heavy_imports
from workers.projects.shipped_prompts import ensure_default_project
from workers.scoring import inspections
from workers.scoring.engine_host import get_engine
from workers.scoring.trouble import EngineTrouble
from workers.scoring.turns import turns
from workers.training import previewing, recovery, runs
from workers.webhooks import delivery

logger = logging.getLogger(__name__)

# Work of this process that is announced again while it is being done; it takes one thread, not all of them.
_in_hand: set[tuple[str, int]] = set()
_in_hand_lock = threading.Lock()


@contextmanager
def _alone(work: str, number: int) -> Iterator[bool]:
    """True for the thread that may do this work now, False for others that come meanwhile."""
    key = (work, number)
    with _in_hand_lock:
        free = key not in _in_hand
        _in_hand.add(key)
    try:
        yield free
    finally:
        if free:
            with _in_hand_lock:
                _in_hand.discard(key)


@contextmanager
def _waiting_out_trouble() -> Iterator[None]:
    """What the model can't do now stays undone in the database, and is looked for every few seconds."""
    try:
        yield
    except EngineTrouble as error:
        logger.warning("Scoring has to wait. %s", error)


@celery_app.task
def tune(run_id: int) -> None:
    """Take a run, if it is still to be had, and carry it to its end."""
    with heavy_imports:
        from workers.training.tuning_run import tune as carry_out  # torch: only where runs are carried out

    with _alone("tune", run_id) as free:
        if free:
            carry_out(get_store(), get_engine(), run_id)


@celery_app.task
def score_images(image_ids: list[int]) -> None:
    """Score these images with the active prompts before others."""
    with _waiting_out_trouble():
        turns.score(get_store(), asked=image_ids, share=_share)


@celery_app.task
def score_project(project_id: int) -> None:
    """The active prompts of a project have not scored all of its images: score what is unscored."""
    with _waiting_out_trouble():
        turns.score(get_store(), share=_share)


def _share(project_id: int) -> None:
    """Another worker may be idle."""
    dispatch.request_rescoring(project_id)


@celery_app.task
def inspect(inspection_id: str) -> None:
    """Answer someone who waits for the verdict of an image."""
    inspections.carry_out(get_store(), inspection_id)


@celery_app.task
def refresh_queue(project_id: int) -> None:
    """Bring what to correct next in line with the corrections."""
    novelty.refresh_queue(get_store(), project_id)


@celery_app.task
def order_queues() -> None:
    """Bring the queues of all projects in the order of their thresholds."""
    with _alone("queues", 0) as free:
        if free:
            queue_orders.order_queues(get_store())


@celery_app.task
def refresh_previews(project_id: int) -> None:
    """Show what the corrections make of the images that come next."""
    previewing.refresh_previews(get_store(), project_id)


@celery_app.task
def preview_images(project_id: int, image_ids: list[int]) -> None:
    """Show it of these images too."""
    previewing.preview_images(get_store(), project_id, image_ids)


@celery_app.task
def score_unscored() -> None:
    """Score what is unscored, in every project."""
    store = get_store()
    ensure_default_project(store, get_engine())
    with _waiting_out_trouble():
        turns.score(store, share=_share)


@celery_app.task
def recover() -> None:
    """Queue lost runs again, and announce those that wait."""
    recovery.recover_runs(get_store())


@celery_app.task
def deliver_webhooks() -> None:
    """Tell webhooks what they are to be told; those that don't answer hold up nothing but themselves."""
    with _alone("webhooks", 0) as free:
        if free:
            delivery.deliver_due(get_store())


@celery_app.task
def start_due() -> None:
    """Start the runs that are due."""
    runs.start_due_runs(get_store())


@celery_app.task
def prune() -> None:
    """Delete what is old."""
    with _alone("prune", 0) as free:
        if free:
            pruning.prune(get_store())
