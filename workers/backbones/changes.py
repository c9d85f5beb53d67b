"""Another backbone on its way into use: looked at, fetched, loaded beside the one in use, measured, then swapped.

A thread in every process that has an engine. One of them brings a backbone in (it holds the row by its heartbeat); all
take it over when the row says so. While the environment names the backbone there is nothing to do.
"""

import logging
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from db.backbones.choice import LIVE, fail, give_back, go_on, keep_measured, put_to_use, read_choice, take
from db.store import Store
from engine.errors import BackboneError
from settings import get_settings
from workers.backbones.memory_room import free_memory
from workers.operations.first_imports import heavy_imports
from workers.projects.shipped_prompts import ensure_shipped_prompts, use_versions_of
from workers.scoring import engine_host
from workers.training.previewing import forget_previews

if TYPE_CHECKING:
    from engine.serving.engine import Engine

logger = logging.getLogger(__name__)

EMBEDDED = "embedded"
_LOOK_SECONDS = 1.0
# Seconds between two lines on how far a download is.
_REPORT_SECONDS = 0.5
# A model of weights in float32: once as a file that is read, once in the model, and what its images take.
_COPIES, _BESIDE = 2, 600_000_000
_SAMPLE_SIDE = 512


class Unwanted(Exception):
    """A person cancelled it, or wants another one."""


class ModelChanges:
    """The thread.

    Args:
        store: where the choice is.
        brings: whether this process may bring a backbone in, or only follows.
    """

    def __init__(self, store: Store, *, brings: bool) -> None:
        self._store, self._brings = store, brings
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="models", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        if get_settings().backbone_is_set:
            return
        if self._brings and get_settings().embedded_broker:  # nobody else brings one in: who did has ended
            with self._store.session(read_only=True) as session:
                live = read_choice(session).state in LIVE
            if live:
                with self._store.session() as session:
                    give_back(session)
        self._thread.start()

    def stop(self) -> None:
        """Begin nothing more; a download goes on with the next start."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(_LOOK_SECONDS):
            try:
                self.look()
            except Exception as error:  # the database may be away for a moment; the next look tries again
                logger.warning("Which model is wanted could not be seen to: %s", error)

    def look(self) -> None:
        """Bring in what is wanted; take over what is in use since."""
        with self._store.session(read_only=True) as session:
            choice = read_choice(session)
            live, name, measured = choice.state in LIVE, choice.name, choice.measured
        if live and self._brings:
            self._bring_one()
        elif name and name != engine_host.loaded_backbone() and engine_host.loaded_backbone():
            engine_host.look_again()
            engine_host.get_engine()
        elif self._brings and engine_host.loaded_backbone() and engine_host.loaded_backbone() not in measured:
            self._measure()

    def _measure(self) -> None:
        """How long an image takes with the model that was there from the start."""
        engine, name = engine_host.get_engine(), engine_host.loaded_backbone()
        seconds = measure(engine)
        with self._store.session() as session:
            keep_measured(session, name, seconds, str(engine.backbone.device))

    def _bring_one(self) -> None:
        with self._store.session() as session:
            wanted = take(session)
        if wanted is None:
            return
        try:
            bring_in(self._store, wanted, self._stopping)
        except Unwanted:
            logger.info("The model %s is not wanted any more.", wanted)
        except BackboneError as error:
            self._failed(wanted, str(error))
        except Exception as error:
            logger.exception("The model %s could not be brought in.", wanted)
            self._failed(wanted, f"{type(error).__name__}: {error}. What is in use stays; see the log, then try again.")

    def _failed(self, wanted: str, reason: str) -> None:
        logger.error("The model %s could not be brought in: %s", wanted, reason)
        with self._store.session() as session:
            fail(session, wanted, reason)


def bring_in(store: Store, wanted: str, stopping: threading.Event | None = None) -> None:
    """All of the way from a name to use.

    Raises:
        BackboneError: it does not fit, can't be fetched, or there is no room; what is in use stays.
        Unwanted: it was cancelled.
    """
    steps = _Steps(store, wanted, stopping or threading.Event())
    name, size = steps.fetch()
    before = engine_host.chosen_backbone()
    if name == before:
        with store.session() as session:
            put_to_use(session, wanted, name, before)
        return
    require_memory(name, size)
    steps.say("loading", size, size)
    engine = engine_host.prepare(name)
    try:
        seconds = measure(engine)
        ensure_shipped_prompts(store, engine)
        with store.session() as session:
            author = read_choice(session).author
            if not put_to_use(session, wanted, name, before):
                raise Unwanted
            keep_measured(session, name, seconds, str(engine.backbone.device))
            changed = use_versions_of(session, engine.info.fingerprint, author)
        engine_host.look_again()
        engine_host.get_engine()
    finally:
        engine_host.forget_prepared(name)
    for project_id in changed:
        forget_previews(store, project_id)
    logger.info("The model %s is in use; an image takes %.2f s.", name, seconds)


class _Steps:
    """What is said of it on the way; each step ends where it is wanted no more."""

    def __init__(self, store: Store, wanted: str, stopping: threading.Event) -> None:
        self._store, self._wanted, self._stopping = store, wanted, stopping
        self._said_at = 0.0

    def say(self, state: str, done: int, total: int) -> None:
        with self._store.session() as session:
            if not go_on(session, self._wanted, state, done, total):
                raise Unwanted
        self._said_at = time.monotonic()

    def fetch(self) -> tuple[str, int]:
        """The name that it goes by, and the bytes of its weights, which are on this machine now."""
        if self._wanted == EMBEDDED:
            return EMBEDDED, 0
        with heavy_imports:
            from engine.backbone.hub import cached, locate
            from engine.backbone.loading import fetch_weights, plan_of
        spec = engine_host.spec_of(self._wanted)
        if ".json@" in spec:  # a configuration of ours, which only the environment names
            return self._wanted, _size_of_file(spec)
        plan = plan_of(spec)
        if not plan.repo:
            return self._wanted, _size_of_file(spec)
        found = cached(plan.repo, plan.files)
        if found is None:
            remote = locate(plan.repo, plan.files)
            require_memory(plan.name, remote.size)  # before it is fetched
            self.say("fetching", remote.size - remote.missing, remote.size)
            found = fetch_weights(plan, self._progress)
        return plan.name, found.stat().st_size

    def _progress(self, done: int, total: int) -> None:
        if self._stopping.is_set():
            raise Unwanted
        if time.monotonic() - self._said_at >= _REPORT_SECONDS or done == total:
            self.say("fetching", done, total)


def _size_of_file(spec: str) -> int:
    file = Path(spec.partition("@")[2])
    if not file.is_file():
        raise BackboneError(
            f"There is no file {file.name} in {get_settings().models_folder}. Put it there, then try again."
        )
    return file.stat().st_size


def require_memory(name: str, size: int) -> None:
    """Raise BackboneError where weights of so many bytes have no room beside what runs."""
    free, needed = free_memory(), _COPIES * size + _BESIDE
    if free is not None and free < needed and size:
        raise BackboneError(
            f"{name} needs {needed / 1e9:.1f} GB of memory while it loads beside the model in use, and "
            f"{free / 1e9:.1f} GB are free. Choose a smaller one, or end what else runs on this machine."
        )


def measure(engine: "Engine") -> float:
    """Seconds that an image takes, from pixels to score and map: the better of two."""
    import numpy as np
    from PIL import Image

    from engine.detector.prompt_files import shipped_prompts

    noise = np.random.default_rng(0).integers(0, 256, (_SAMPLE_SIDE, _SAMPLE_SIDE, 3), dtype=np.uint8)
    detector = engine.detector_of(shipped_prompts(engine.backbone))
    taken = []
    for _ in range(2):
        began = time.perf_counter()
        engine.score(engine.encode([Image.fromarray(noise)], surface=True), detector)
        taken.append(time.perf_counter() - began)
    return min(taken)
