"""Whether everything that is needed is there, and which backbone is in use: asked of the things themselves."""

import logging
import threading
import time
from dataclasses import dataclass
from typing import Any

from kombu.exceptions import OperationalError
from sqlalchemy.exc import SQLAlchemyError

from db.projects.projects import list_projects
from db.store import Store
from db.tables.core import Project, PromptVersion
from db.training.prompt_versions import active_version
from settings import get_settings
from workers.celery_app import celery_app
from workers.scoring import engine_host

logger = logging.getLogger(__name__)

# In seconds: how long a worker may take to answer, for how long nobody asks again, and how old what was heard may be
# that is told where a new answer takes its time.
_ANSWER_SECONDS = 2.0
_FRESH_SECONDS = 2.0
_KNOWN_SECONDS = 15.0
# The patience, in seconds, of a page or a probe, which must not wait for a worker that is gone; and of who can.
AT_ONCE = 0.2
PATIENT = 2 * _ANSWER_SECONDS + 1.0


@dataclass(frozen=True)
class Component:
    """One thing that is needed: `detail` says what is wrong and what to do, or how it is."""

    name: str
    ready: bool
    detail: str


def readiness(store: Store, patience: float = PATIENT) -> list[Component]:
    """Database, blobs, broker, worker and engine, each asked now.

    A worker that does not answer within `patience` seconds, and the broker, are as they were heard of last.
    """
    heard = _watch.heard(patience)
    return [
        _reach("database", store.database.ping),
        _reach("blobs", store.blobs.ping),
        heard.broker,
        _worker_component(heard.answer),
        _engine_component(store, engine_in_use(patience)),
    ]


def engine_in_use(patience: float = PATIENT) -> dict[str, Any]:
    """The status of the engine that scores: this process's own in the embedded mode, else a worker's.

    The keys are those of `workers.scoring.engine_host.engine_status`; for `patience` see `readiness`.
    """
    if get_settings().embedded_broker:
        return engine_host.engine_status()
    answer = _watch.heard(patience).answer
    if answer is None:
        return {**engine_host.engine_status(), "error": "No worker answers, and the engine runs in the workers."}
    return answer


def _reach(name: str, ping: Any) -> Component:
    try:
        ping()
    except Exception as error:  # whatever the driver of the day raises: it can't be reached
        return Component(name, False, f"It can't be reached ({type(error).__name__}: {error}).")
    return Component(name, True, "ok")


def _ping_broker() -> None:
    with celery_app.connection_for_write() as connection:
        connection.ensure_connection(max_retries=1, timeout=_ANSWER_SECONDS)


def _worker_component(answer: dict[str, Any] | None) -> Component:
    if answer is not None:
        return Component("worker", True, "ok")
    advice = (
        "It is started with the app and again when it dies: wait some seconds, then see the app's log."
        if get_settings().embedded_broker
        else "Start one: celery -A workers.celery_app worker"
    )
    return Component("worker", False, f"No worker answers. {advice}")


def _engine_component(store: Store, status: dict[str, Any]) -> Component:
    if status["state"] != "ready":
        return Component("engine", False, status["error"] or f"The backbone is {status['state']}.")
    active = _active_prompts(store)
    if active and not any(version for _, version in active):  # an installation's first seconds with its model
        return Component("engine", False, "The model is loaded, and its prompts are being stored. Wait some seconds.")
    foreign = [
        (one, version) for one, version in active if version and version.backbone_fingerprint != status["fingerprint"]
    ]
    if foreign:
        which = "; ".join(
            f"project {project.name}: version {version.number}, for {version.backbone_name}"
            for project, version in foreign
        )
        return Component(
            "engine",
            False,
            f"Active prompts belong to another backbone than {status['name']}, which is in use, and nothing there can "
            f"be scored ({which}). Activate a version of this backbone there, or put the other one to use (Settings, "
            "Models).",
        )
    return Component("engine", True, f"{status['name']} on {status['device']} in {status['precision']}")


def _active_prompts(store: Store) -> list[tuple[Project, PromptVersion | None]]:
    """Each project with its active version; empty where the database is away, which its own component says."""
    try:
        with store.session(read_only=True) as session:
            return [(project, active_version(session, project.id)) for project in list_projects(session)]
    except SQLAlchemyError:
        return []


@dataclass(frozen=True)
class _Heard:
    """What a worker answered, None where none did, and how the broker is."""

    answer: dict[str, Any] | None
    broker: Component


class _WorkerWatch:
    """What was heard of a worker last. One question is under way at a time, whoever asks, on a thread of its own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._asking = False
        self._at = float("-inf")
        self._known = _Heard(None, Component("broker", False, "It was not asked yet. Wait some seconds."))

    def heard(self, patience: float) -> _Heard:
        """What a worker says now, where it says so within `patience` seconds; else what was heard last.

        Where that is too long ago to mean anything, the answer is waited for.
        """
        with self._changed:
            age = time.monotonic() - self._at
            if age <= _FRESH_SECONDS:
                return self._known
            if not self._asking:
                self._asking = True
                threading.Thread(target=self._ask, name="asking a worker", daemon=True).start()
            self._changed.wait_for(lambda: not self._asking, patience if age <= _KNOWN_SECONDS else None)
            return self._known

    def _ask(self) -> None:
        known = _Heard(None, Component("broker", False, "It can't be asked; see the log."))
        try:
            answer = _broadcast()
            # A worker's answer came through the broker.
            known = _Heard(answer, Component("broker", True, "ok") if answer else _reach("broker", _ping_broker))
        except Exception:
            logger.exception("No worker could be asked.")
        finally:
            with self._changed:
                self._known, self._at, self._asking = known, time.monotonic(), False
                self._changed.notify_all()


_watch = _WorkerWatch()


def _broadcast() -> dict[str, Any] | None:
    try:
        answers = celery_app.control.broadcast("engine_status", reply=True, timeout=_ANSWER_SECONDS, limit=1)
    except (OperationalError, OSError):  # the broker can't be reached; its own component says so
        return None
    return next(iter(answers[0].values())) if answers else None
