"""Ready means: whatever one asks for next is taken."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from db.migrate import migrate
from db.projects.projects import ensure_project
from db.store import Store
from settings import get_settings
from tests.running import wait_until
from workers.context import get_store
from workers.operations import readiness as asking
from workers.operations.readiness import AT_ONCE, PATIENT, Component, readiness
from workers.projects.shipped_prompts import DEFAULT_PROJECT, ensure_shipped_prompts
from workers.scoring.engine_host import get_engine


@pytest.fixture
def first_start(configured: Path) -> Iterator[Store]:
    """A new installation, whose model has just been loaded and has given its prompts to no project yet."""
    migrate(get_settings().resolved_database_url)
    store = get_store()
    with store.session() as session:
        ensure_project(session, DEFAULT_PROJECT)
    get_engine()
    yield store
    store.database.close()


def test_a_model_whose_prompts_are_not_stored_yet_is_not_ready(first_start: Store) -> None:
    assert not engine(first_start).ready
    assert "prompts are being stored" in engine(first_start).detail
    ensure_shipped_prompts(first_start, get_engine())
    assert engine(first_start) == Component("engine", True, "tiny on cpu in fp32")


def engine(store: Store) -> Component:
    [found] = [component for component in readiness(store) if component.name == "engine"]
    return found


class SlowWorker:
    """Answers what it is told to when it is let; counts how often it was asked."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] | None = {"state": "ready"}
        self.let, self.asked = threading.Event(), 0

    def __call__(self) -> dict[str, Any] | None:
        self.asked += 1
        assert self.let.wait(60)
        return self.answer


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowWorker]:
    """A worker of which nothing is known yet; each question is asked anew."""
    worker = SlowWorker()
    monkeypatch.setattr(asking, "_watch", asking._WorkerWatch())
    monkeypatch.setattr(asking, "_FRESH_SECONDS", 0.0)
    monkeypatch.setattr(asking, "_broadcast", worker)
    yield worker
    worker.let.set()


def is_ready(store: Store, patience: float) -> bool:
    [found] = [component for component in readiness(store, patience) if component.name == "worker"]
    return found.ready


def test_who_can_not_wait_is_told_what_was_heard_last(first_start: Store, worker: SlowWorker) -> None:
    worker.let.set()
    assert is_ready(first_start, PATIENT)
    worker.let.clear()
    assert is_ready(first_start, AT_ONCE) and not worker.let.is_set()  # it has not answered yet
    worker.answer = None
    worker.let.set()
    wait_until(lambda: not is_ready(first_start, AT_ONCE), "heard that it is gone")


def test_what_was_heard_too_long_ago_is_not_told(
    first_start: Store, worker: SlowWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.let.set()
    assert is_ready(first_start, PATIENT)
    monkeypatch.setattr(asking, "_KNOWN_SECONDS", 0.0)
    worker.answer = None
    assert not is_ready(first_start, AT_ONCE)


def test_those_who_ask_at_once_make_one_question_of_it(
    first_start: Store, worker: SlowWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_FRESH_SECONDS", 60.0)
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(is_ready, first_start, PATIENT) for _ in range(8)]
        wait_until(lambda: worker.asked, "asked")
        worker.let.set()
    assert all(one.result() for one in waiting) and worker.asked == 1


def test_a_question_that_fails_is_no_answer_and_is_asked_again(
    first_start: Store, worker: SlowWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise RuntimeError("an answer that nobody understands")

    with monkeypatch.context() as patch:
        patch.setattr(asking, "_broadcast", broken)
        assert not is_ready(first_start, PATIENT)
    worker.let.set()
    assert is_ready(first_start, PATIENT)
