"""The Celery app: its broker, queues and schedule. The database is the truth; a message is only a bell."""

from typing import Any

from celery import Celery
from celery.signals import worker_ready
from kombu import Exchange, Queue

from settings import Settings, get_settings
from workers import engine_host, file_broker

QUEUES = ("default", "scoring", "tuning")
# Seconds between two looks at the database for what a lost message left undone.
RECOVER_SECONDS = 5.0
DUE_SECONDS = 10.0
SCORE_SECONDS = 5.0
# How long after its start the embedded worker begins to load the engine.
EMBEDDED_LOADING_SECONDS = 15.0


def _schedule(settings: Settings) -> dict[str, Any]:
    def every(seconds: float, task: str, queue: str) -> dict[str, Any]:
        # A look that nobody took before the next one is due is dropped: they don't pile up behind a busy worker.
        return {"task": f"workers.tasks.{task}", "schedule": seconds, "options": {"queue": queue, "expires": seconds}}

    schedule = {
        "recover": every(RECOVER_SECONDS, "recover", "default"),
        "start-due-runs": every(DUE_SECONDS, "start_due", "default"),
    }
    if not settings.embedded_broker:
        # In the embedded mode the page's own process scores, and finds by itself what is unscored (workers.background).
        schedule["score-unscored"] = every(SCORE_SECONDS, "score_unscored", "scoring")
    return schedule


def make_app(settings: Settings) -> Celery:
    """A Celery app for these settings: JSON only, no results kept, tasks acknowledged when they are done."""
    app = Celery("anomalyloop", include=["workers.tasks", "workers.remote_control"])
    if settings.embedded_broker:
        app.conf.broker_transport_options = file_broker.transport_options(settings.home)
    app.conf.update(
        broker_url=file_broker.URL if settings.embedded_broker else settings.broker_url,
        broker_connection_retry_on_startup=True,
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=True,
        task_default_queue="default",
        task_queues=[Queue(name, Exchange(name), routing_key=name) for name in QUEUES],
        task_routes={
            "workers.tasks.tune": {"queue": "tuning"},
            "workers.tasks.score_project": {"queue": "scoring"},
            "workers.tasks.score_images": {"queue": "scoring"},
            "workers.tasks.refresh_queue": {"queue": "scoring"},
        },
        worker_prefetch_multiplier=1,
        # The schedule is all short intervals: nothing to keep between two starts.
        beat_scheduler="celery.beat:Scheduler",
        beat_schedule=_schedule(settings),
        timezone="UTC",
    )
    return app


celery_app = make_app(get_settings())


@worker_ready.connect
def _load_engine_early(**_: object) -> None:
    """So that the first run need not wait for it; in the embedded mode the page's own engine goes first."""
    engine_host.start_loading(after_seconds=EMBEDDED_LOADING_SECONDS if get_settings().embedded_broker else 0.0)
