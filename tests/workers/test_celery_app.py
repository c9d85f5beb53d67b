"""A real Celery worker on the embedded broker: it answers, it carries out runs, and it takes nothing but JSON."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from celery import Celery
from celery.beat import Scheduler
from kombu.exceptions import EncodeError

from db.tables.base import utc_now
from db.training.runs import claim, get_run, request_cancel
from settings import get_settings
from tests.conftest import Installation
from tests.running import wait_until
from tests.workers.making import change_run, correct
from workers.broker.supervisor import Supervisor
from workers.celery_app import make_app
from workers.training.runs import start_run


@pytest.fixture
def celery(installation: Installation) -> Iterator[Celery]:
    """The app of this installation, with a worker of its own."""
    supervisor = Supervisor(roles=("worker",))
    supervisor.start()
    app = make_app(get_settings())
    wait_until(lambda: app.control.broadcast("engine_status", reply=True, timeout=2, limit=1), "a worker that answers")
    yield app
    supervisor.stop()


def test_the_worker_tells_how_its_engine_is(celery: Celery) -> None:
    [answer] = celery.control.broadcast("engine_status", reply=True, timeout=5, limit=1)
    [status] = answer.values()
    assert status["state"] in ("not loaded", "loading", "ready")


def test_a_run_is_carried_out_while_recovery_goes_on(celery: Celery, installation: Installation) -> None:
    correct(installation, 4)
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1000)

    def run_state() -> str:
        with installation.store.session(read_only=True) as session:
            return get_run(session, run_id).state

    celery.send_task("workers.tasks.tune", [run_id])
    wait_until(lambda: run_state() in ("running", "evaluating"), "taken")
    celery.send_task("workers.tasks.recover", [])
    celery.send_task("workers.tasks.start_due", [])
    queue = Path(celery.conf.broker_transport_options["data_folder_in"])
    wait_until(lambda: not list(queue.glob("*.default.msg")), "other tasks taken")
    assert run_state() in ("running", "evaluating")
    with installation.store.session() as session:
        request_cancel(session, run_id)
    wait_until(lambda: run_state() == "cancelled", "cancelled")


def test_a_schedule_whose_clock_is_ten_minutes_behind_is_obeyed_all_the_same(
    celery: Celery, installation: Installation
) -> None:
    correct(installation, 1)
    run_id = start_run(installation.store, installation.project_id, trigger="manual")
    with installation.store.session() as session:
        assert claim(session, run_id, "lost-worker", 30)
    change_run(installation, run_id, heartbeat_at=utc_now() - timedelta(hours=1), cancel_requested=True)
    look = celery.conf.beat_schedule["recover"]
    expires = utc_now() - timedelta(minutes=10) + timedelta(seconds=look["options"]["expires"])
    celery.send_task(look["task"], [], queue=look["options"]["queue"], expires=expires)

    def run_state() -> str:
        with installation.store.session(read_only=True) as session:
            return get_run(session, run_id).state

    wait_until(lambda: run_state() == "cancelled", "found again", seconds=30)


def test_old_things_are_deleted_at_the_start_and_then_every_six_hours(configured: Path) -> None:
    schedule = Scheduler(make_app(get_settings())).schedule
    due = {name: entry.is_due().is_due for name, entry in schedule.items()}
    assert due.pop("prune") and not any(due.values())
    entry = next(schedule["prune"])  # once it has run
    assert not entry.is_due().is_due and entry.is_due().next <= 6 * 3600


def test_nothing_but_json_is_sent(celery: Celery) -> None:
    with pytest.raises(EncodeError):
        celery.send_task("workers.tasks.tune", [object()])
    assert celery.conf.accept_content == ["json"]


def test_with_a_broker_of_ones_own_scoring_is_on_the_schedule_too(
    configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "score-unscored" not in make_app(get_settings()).conf.beat_schedule
    monkeypatch.setattr(get_settings(), "broker_url", "redis://localhost")
    app = make_app(get_settings())
    assert "score-unscored" in app.conf.beat_schedule and app.conf.broker_url == "redis://localhost"
