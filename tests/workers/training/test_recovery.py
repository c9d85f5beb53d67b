"""Lost runs: found by their heartbeat, queued again, and given up after three attempts."""

from datetime import timedelta
from pathlib import Path

import pytest

from db.operations.check import check
from db.tables.base import utc_now
from db.tables.core import TuningRun
from db.training.runs import claim, get_run
from settings import get_settings
from tests.conftest import Installation
from tests.workers.making import change_run, correct
from workers.broker import dispatch
from workers.training.lease import Lease, LeaseLost, give_back_all
from workers.training.recovery import recover_runs
from workers.training.runs import cancel_run, start_run

LONG_AGO = timedelta(hours=1)


@pytest.fixture
def run_id(installation: Installation) -> int:
    """A run that was queued long ago."""
    correct(installation, 1)
    run_id = start_run(installation.store, installation.project_id, trigger="manual")
    change_run(installation, run_id, created_at=utc_now() - LONG_AGO)
    return run_id


def lose(installation: Installation, run_id: int) -> None:
    """A worker takes the run and is never heard of again."""
    with installation.store.session() as session:
        assert claim(session, run_id, "lost-worker", get_settings().lease_seconds)
    change_run(installation, run_id, heartbeat_at=utc_now() - LONG_AGO, stage="tuning, epoch 3 of 30")


def row(installation: Installation, run_id: int) -> TuningRun:
    with installation.store.session(read_only=True) as session:
        return get_run(session, run_id)


def test_a_run_whose_message_was_lost_is_announced_again(installation: Installation, run_id: int) -> None:
    assert recover_runs(installation.store) == [run_id]


def test_a_run_that_was_just_queued_is_not_announced_twice(installation: Installation, run_id: int) -> None:
    change_run(installation, run_id, created_at=utc_now())
    assert recover_runs(installation.store) == []


def test_a_run_whose_worker_is_silent_is_queued_again(installation: Installation, run_id: int) -> None:
    lose(installation, run_id)
    assert recover_runs(installation.store) == [run_id]
    assert (row(installation, run_id).state, row(installation, run_id).attempt) == ("queued", 1)


def test_a_run_whose_worker_is_heard_of_is_left_alone(installation: Installation, run_id: int) -> None:
    lose(installation, run_id)
    change_run(installation, run_id, heartbeat_at=utc_now())
    assert recover_runs(installation.store) == []
    assert row(installation, run_id).state == "running"


def test_after_three_attempts_a_run_fails_and_says_why(installation: Installation, run_id: int) -> None:
    for _ in range(3):
        lose(installation, run_id)
        recover_runs(installation.store)
    run = row(installation, run_id)
    assert (run.state, run.attempt) == ("failed", 3)
    assert "3 times" in run.error and "epoch 3 of 30" in run.error
    assert run.finished_at is not None


def test_a_lost_run_that_someone_cancelled_is_cancelled(installation: Installation, run_id: int) -> None:
    lose(installation, run_id)
    change_run(installation, run_id, cancel_requested=True)
    assert recover_runs(installation.store) == []
    assert row(installation, run_id).state == "cancelled"


def test_messages_of_a_run_that_waits_do_not_pile_up(
    installation: Installation, run_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(dispatch, "request_run", sent.append)
    monkeypatch.setattr("workers.training.recovery.lengths_or_none", lambda: {"tuning": len(sent)})
    for _ in range(5):
        assert recover_runs(installation.store) == [run_id]
    assert sent == [run_id]
    monkeypatch.setattr("workers.training.recovery.lengths_or_none", lambda: None)  # it is away: better once too often
    recover_runs(installation.store)
    assert sent == [run_id] * 2


def test_a_worker_that_ends_gives_its_run_back_at_no_cost(installation: Installation, run_id: int) -> None:
    with installation.store.session() as session:
        assert claim(session, run_id, "ending", get_settings().lease_seconds)
    with Lease(installation.store, run_id, "ending", 30.0) as lease:
        assert give_back_all() == 1
        with pytest.raises(LeaseLost, match="nobody"):
            lease.renew(progress=0.5)
    assert (row(installation, run_id).state, row(installation, run_id).attempt) == ("queued", 0)
    assert give_back_all() == 0


def test_a_run_that_ends_leaves_no_checkpoint_behind(installation: Installation, run_id: int) -> None:
    blobs = installation.store.blobs
    key = blobs.put(b"a checkpoint")
    change_run(installation, run_id, checkpoint_blob_key=key, attempt=2)
    lose(installation, run_id)
    recover_runs(installation.store)
    assert row(installation, run_id).state == "failed"
    assert row(installation, run_id).checkpoint_blob_key is None and not blobs.exists(key)
    correct(installation, 1, first_seed=7)
    second = start_run(installation.store, installation.project_id, trigger="manual")
    key = blobs.put(b"another checkpoint")
    change_run(installation, second, checkpoint_blob_key=key)
    cancel_run(installation.store, second)
    assert not blobs.exists(key) and check(installation.store) == []


def test_an_unreachable_broker_costs_a_warning_and_no_run(
    installation: Installation, run_id: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    blocked = tmp_path / "a file where a folder should be"
    blocked.touch()
    options = {"data_folder_in": str(blocked), "data_folder_out": str(blocked), "control_folder": str(blocked)}
    monkeypatch.setattr(dispatch, "celery_app", fresh_app(options))
    assert recover_runs(installation.store) == [run_id]
    assert row(installation, run_id).state == "queued"


def fresh_app(transport_options: dict[str, str]) -> object:
    from workers.celery_app import make_app

    app = make_app(get_settings())
    app.conf.broker_transport_options = transport_options
    return app
