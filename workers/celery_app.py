"""The Celery app: its broker, queues and schedule. The database is the truth; a message is only a bell."""

import logging
import os
import threading
from datetime import UTC, datetime
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from kombu import Exchange, Queue

from settings import Settings, get_settings, misspelt, read_settings
from workers.backbones.changes import ModelChanges
from workers.broker import file_broker
from workers.context import get_store
from workers.operations.alive import touch
from workers.operations.logs import configure_logging
from workers.operations.tracing import for_request, request_id
from workers.operations.worker_reports import Reporter
from workers.scoring import engine_host
from workers.training.lease import give_back_all

# Threads of torch that wait for each other let go of their core: where two processes compute on few cores, those that
# spin take it from those that work, and everything is up to ten times slower. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
logger = logging.getLogger(__name__)

QUEUES = ("default", "scoring", "tuning")
# Seconds between two looks at the database for what a lost message left undone.
RECOVER_SECONDS = 5.0
DUE_SECONDS = 10.0
SCORE_SECONDS = 5.0
WEBHOOK_SECONDS = 5.0
PRUNE_SECONDS = 6 * 3600.0
# Celery compares when a look expires, by the clock of the schedule's machine, with that of the worker's: behind by more
# than this, every look would be dropped, and nothing that was lost be found again.
CLOCKS_DIFFER_SECONDS = 900.0
# How long after its start the embedded worker begins to load the engine.
EMBEDDED_LOADING_SECONDS = 15.0


def _schedule(settings: Settings) -> dict[str, Any]:
    def every(seconds: float, task: str, queue: str, **more: Any) -> dict[str, Any]:
        # A look that nobody took for long is dropped: they don't pile up behind a busy worker without an end.
        options = {"queue": queue, "expires": max(seconds, CLOCKS_DIFFER_SECONDS)}
        return {"task": f"workers.tasks.{task}", "schedule": seconds, "options": options, **more}

    schedule = {
        "recover": every(RECOVER_SECONDS, "recover", "default"),
        "deliver-webhooks": every(WEBHOOK_SECONDS, "deliver_webhooks", "default"),
        # At the start too, for an installation that never runs for so long, and for what the last one's end left.
        "prune": every(PRUNE_SECONDS, "prune", "default", last_run_at=datetime.fromtimestamp(0, UTC)),
        "start-due-runs": every(DUE_SECONDS, "start_due", "default"),
        "order-queues": every(RECOVER_SECONDS, "order_queues", "default"),
    }
    if not settings.embedded_broker:
        # In the embedded mode the page's own process scores, and finds by itself what is unscored
        # (workers.scoring.background).
        schedule["score-unscored"] = every(SCORE_SECONDS, "score_unscored", "scoring")
    return schedule


def make_app(settings: Settings) -> Celery:
    """A Celery app for these settings.

    The database is the truth: what a message announced is found there again within seconds, whoever lost it. So nothing
    here is for messages to outlive workers. They are acknowledged when they are taken: to hold one until its task is
    done would win nothing, and RabbitMQ cuts off a worker that does so for 30 minutes, which a run may take.
    """
    app = Celery("anomalyloop", include=["workers.tasks", "workers.broker.remote_control"])
    if settings.embedded_broker:
        app.conf.broker_transport_options = file_broker.transport_options(settings.home)
    app.conf.update(
        broker_url=file_broker.URL if settings.embedded_broker else settings.broker_url,
        broker_connection_retry_on_startup=True,
        accept_content=["json"],
        task_serializer="json",
        # Results are rows; JSON alone, as who can write to the broker must not bring code.
        task_ignore_result=True,
        task_acks_late=False,
        task_default_queue="default",
        task_queues=[Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
        task_routes={
            "workers.tasks.tune": {"queue": "tuning"},
            "workers.tasks.score_project": {"queue": "scoring"},
            "workers.tasks.score_images": {"queue": "scoring"},
            "workers.tasks.inspect": {"queue": "scoring"},
            "workers.tasks.refresh_queue": {"queue": "scoring"},
            "workers.tasks.refresh_previews": {"queue": "scoring"},
            "workers.tasks.preview_images": {"queue": "scoring"},
        },
        # What waits stays with the broker, where another worker can take it, and not with one that is busy.
        worker_prefetch_multiplier=1,
        # One process has one engine for all its threads, and a GPU is held once.
        worker_pool="threads",
        worker_concurrency=4,
        # The schedule is all short intervals: nothing to keep between two starts.
        beat_scheduler="celery.beat:Scheduler",
        beat_schedule=_schedule(settings),
        timezone="UTC",
    )
    return app


celery_app = make_app(read_settings())


_reporters: list[Reporter] = []
_changes: list[ModelChanges] = []
_REQUEST_HEADER = "request_id"


@setup_logging.connect
def _log_as_all_processes(**_: object) -> None:
    """In place of Celery's own logging."""
    configure_logging(get_settings().log_level, get_settings().log_format)
    for sentence in misspelt():
        logger.warning("%s", sentence)


@worker_ready.connect
def _load_engine_early(sender: Any, **_: object) -> None:
    """So that the first run need not wait for it; in the embedded mode the page's own engine goes first."""
    engine_host.start_loading(after_seconds=EMBEDDED_LOADING_SECONDS if get_settings().embedded_broker else 0.0)
    _reporters.append(Reporter(sender.hostname, sorted(sender.app.amqp.queues.consume_from)))
    _reporters[-1].start()
    # In the embedded mode the page's process brings models in, and this one follows.
    _changes.append(ModelChanges(get_store(), brings=not get_settings().embedded_broker))
    _changes[-1].start()


@worker_shutting_down.connect
def _give_back_runs(**_: object) -> None:
    """A restart that was planned costs a run nothing. In a thread: this is called within a signal's handler."""
    threading.Thread(target=give_back_all, name="giving back", daemon=True).start()


@worker_shutdown.connect
def _report_no_more(**_: object) -> None:
    while _reporters:
        _reporters.pop().stop()
    while _changes:
        _changes.pop().stop()


@beat_init.connect
def _tell_of_the_schedule(**_: object) -> None:
    """It publishes every few seconds, as long as it goes on."""
    before_task_publish.connect(_touch_beat, weak=False)


def _touch_beat(**_: object) -> None:
    touch("beat")


@before_task_publish.connect
def _send_request_id(headers: dict[str, Any], **_: object) -> None:
    headers[_REQUEST_HEADER] = request_id()


@task_prerun.connect
def _work_for_request(task: Any, **_: object) -> None:
    context = for_request(task.request.get(_REQUEST_HEADER) or "")
    context.__enter__()
    task.request.tracing = context


@task_postrun.connect
def _worked_for_request(task: Any, **_: object) -> None:
    task.request.tracing.__exit__(None, None, None)
