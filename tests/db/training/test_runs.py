"""Runs: one live run a project, held by one worker at a time, taken over only from the silent."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from db.clock import about_shared_now
from db.errors import NotFound, RunInProgress
from db.operations.worker_reports import report, worker_reports
from db.session import Database
from db.tables.base import utc_now
from db.tables.core import TuningRun
from db.training.prompt_versions import activate, active_version
from db.training.runs import (
    claim,
    end_stale,
    finish,
    get_run,
    heartbeat,
    list_runs,
    live_run,
    queued_runs,
    request_cancel,
    requeue,
    run_behind,
    stale_runs,
)
from tests.db.making import at_once, make_project, make_run, make_version

LEASE = 30.0


@pytest.fixture
def queued(database: Database) -> TuningRun:
    """A run that nobody has taken."""
    with database.session() as session:
        return make_run(session, make_project(session), [1, 2])


@pytest.fixture
def held(database: Database, queued: TuningRun) -> TuningRun:
    """A run that the worker "first" has taken."""
    with database.session() as session:
        assert claim(session, queued.id, "first", LEASE)
    return queued


def fall_silent(database: Database, run: TuningRun) -> None:
    """Its worker was last heard of longer ago than the lease."""
    with database.session() as session:
        get_run(session, run.id).heartbeat_at = utc_now() - timedelta(seconds=LEASE + 1)


def now(database: Database, run: TuningRun) -> TuningRun:
    """The run as the database has it."""
    with database.session(read_only=True) as session:
        return get_run(session, run.id)


class TestQueue:
    """Starting a run."""

    def test_a_run_starts_queued_with_its_input_frozen(self, database: Database, queued: TuningRun) -> None:
        run = now(database, queued)
        assert (run.state, run.training_annotation_ids, run.seed, run.attempt) == ("queued", [1, 2], 7, 0)
        with database.session() as session:
            assert [run.id for run in queued_runs(session)] == [queued.id]

    def test_a_project_has_one_live_run(self, database: Database, queued: TuningRun) -> None:
        for state in ("queued", "running", "evaluating"):
            with database.session() as session:
                get_run(session, queued.id).state = state
            with database.session() as session:
                with pytest.raises(RunInProgress, match=f"Run {queued.id} ") as error:
                    make_run(session, queued.project_id)
                assert error.value.run_id == queued.id
                assert [run.id for run in list_runs(session, queued.project_id)] == [queued.id]

    def test_the_database_itself_refuses_a_second_live_run(self, database: Database, queued: TuningRun) -> None:
        with pytest.raises(IntegrityError), database.session() as session:
            session.add(TuningRun(project_id=queued.project_id, trigger="manual", state="evaluating"))

    def test_another_project_can_run_meanwhile(self, database: Database, queued: TuningRun) -> None:
        with database.session() as session:
            other = make_run(session, make_project(session, "other"))
            assert [run.id for run in queued_runs(session)] == [queued.id, other.id]

    @pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
    def test_the_next_run_starts_after_the_last_has_ended(
        self, database: Database, held: TuningRun, state: str
    ) -> None:
        with database.session() as session:
            assert finish(session, held.id, "first", state=state)
            assert live_run(session, held.project_id) is None
            following = make_run(session, held.project_id)
            assert live_run(session, held.project_id) is following
            assert [run.id for run in list_runs(session, held.project_id)] == [following.id, held.id]

    def test_of_those_who_start_a_run_at_once_one_succeeds(self, database: Database) -> None:
        with database.session() as session:
            project_id = make_project(session)

        def start(_: int) -> int:
            with database.session() as session:
                return make_run(session, project_id).id

        results = at_once(6, start)
        started = [result for result in results if isinstance(result, int)]
        refused = [result for result in results if isinstance(result, RunInProgress)]
        assert (len(started), len(refused)) == (1, 5)
        assert {error.run_id for error in refused} == set(started)

    def test_a_run_needs_a_project(self, database: Database) -> None:
        with pytest.raises(IntegrityError), database.session() as session:
            make_run(session, 99)

    def test_a_run_that_does_not_exist_is_not_found(self, database: Database) -> None:
        with database.session() as session:
            for look in (get_run, request_cancel):
                with pytest.raises(NotFound, match="no tuning run 99"):
                    look(session, 99)
            assert not claim(session, 99, "first", LEASE)


class TestLease:
    """Taking a run and keeping it."""

    def test_a_claim_starts_the_run(self, database: Database, held: TuningRun) -> None:
        run = now(database, held)
        assert (run.state, run.worker, run.attempt) == ("running", "first", 1)
        assert run.started_at == run.heartbeat_at is not None

    def test_of_the_workers_that_claim_at_once_one_gets_it(self, database: Database, queued: TuningRun) -> None:
        def take(number: int) -> bool:
            with database.session() as session:
                return claim(session, queued.id, f"worker {number}", LEASE)

        results = at_once(6, take)
        assert sorted(results, key=str) == [False] * 5 + [True]
        run = now(database, queued)
        assert (run.worker, run.attempt) == (f"worker {results.index(True)}", 1)

    def test_a_run_whose_worker_is_heard_of_cannot_be_claimed(self, database: Database, held: TuningRun) -> None:
        with database.session() as session:
            assert not claim(session, held.id, "second", LEASE)
            assert stale_runs(session, LEASE) == []
        assert now(database, held).worker == "first"

    @pytest.mark.parametrize("state", ["running", "evaluating"])
    def test_a_silent_worker_loses_its_run_to_the_next(self, database: Database, held: TuningRun, state: str) -> None:
        with database.session() as session:
            assert heartbeat(session, held.id, "first", progress=0.4, state=state, checkpoint_blob_key="at/epoch4")
        fall_silent(database, held)
        with database.session() as session:
            assert [run.id for run in stale_runs(session, LEASE)] == [held.id]
            assert claim(session, held.id, "second", LEASE)
            assert stale_runs(session, LEASE) == []
        run = now(database, held)
        assert (run.state, run.worker, run.attempt) == ("running", "second", 2)
        assert (run.progress, run.checkpoint_blob_key) == (0.4, "at/epoch4")  # from where the second goes on

    def test_of_the_workers_that_take_over_at_once_one_gets_it(self, database: Database, held: TuningRun) -> None:
        fall_silent(database, held)

        def take(number: int) -> bool:
            with database.session() as session:
                return claim(session, held.id, f"worker {number}", LEASE)

        assert sorted(at_once(6, take), key=str) == [False] * 5 + [True]
        assert now(database, held).attempt == 2

    def test_the_one_who_lost_the_lease_can_write_nothing_more(self, database: Database, held: TuningRun) -> None:
        fall_silent(database, held)
        with database.session() as session:
            assert claim(session, held.id, "second", LEASE)
            assert not heartbeat(session, held.id, "first", progress=0.9, stage="epoch 9")
            assert not finish(session, held.id, "first", state="succeeded")
        run = now(database, held)
        assert (run.state, run.worker, run.progress, run.stage) == ("running", "second", 0.0, "")

    def test_a_silent_worker_whose_run_nobody_took_keeps_it_by_speaking_again(
        self, database: Database, held: TuningRun
    ) -> None:
        fall_silent(database, held)
        with database.session() as session:
            assert heartbeat(session, held.id, "first")
            assert not claim(session, held.id, "second", LEASE)

    def test_a_finished_run_cannot_be_claimed(self, database: Database, held: TuningRun) -> None:
        with database.session() as session:
            finish(session, held.id, "first", state="failed", error="Out of memory.")
        fall_silent(database, held)
        with database.session() as session:
            assert stale_runs(session, LEASE) == []
            assert not claim(session, held.id, "second", LEASE)

    def test_a_lost_run_goes_back_into_the_queue(self, database: Database, held: TuningRun) -> None:
        with database.session() as session:
            assert not requeue(session, held.id, LEASE)  # still heard of
        fall_silent(database, held)
        with database.session() as session:
            assert requeue(session, held.id, LEASE)
            assert not requeue(session, held.id, LEASE)
            assert not heartbeat(session, held.id, "first")
            assert [run.id for run in queued_runs(session)] == [held.id]
            assert claim(session, held.id, "second", LEASE)
        assert now(database, held).attempt == 2

    @pytest.mark.parametrize("state", ["failed", "cancelled"])
    def test_a_lost_run_that_was_tried_often_enough_is_ended(
        self, database: Database, held: TuningRun, state: str
    ) -> None:
        with database.session() as session:
            assert not end_stale(session, held.id, LEASE, state=state, error="Lost.")  # still heard of
        fall_silent(database, held)
        with database.session() as session:
            assert end_stale(session, held.id, LEASE, state=state, error="Lost.")
            assert not heartbeat(session, held.id, "first")
            assert not requeue(session, held.id, LEASE)
        run = now(database, held)
        assert (run.state, run.error) == (state, "Lost.")
        assert run.finished_at is not None


class TestProgress:
    """What a worker writes while it holds a run, and how a run ends."""

    def test_a_heartbeat_writes_what_it_is_given_and_keeps_the_rest(self, database: Database, held: TuningRun) -> None:
        with database.session() as session:
            assert heartbeat(session, held.id, "first", progress=0.5, stage="epoch 1", losses=[{"loss": 1.5}])
            assert heartbeat(session, held.id, "first", encoded_images=3)
        before = now(database, held)
        with database.session() as session:
            assert heartbeat(session, held.id, "first", state="evaluating")
        run = now(database, held)
        assert (run.state, run.progress, run.stage, run.losses) == ("evaluating", 0.5, "epoch 1", [{"loss": 1.5}])
        assert run.encoded_images == 3
        assert run.heartbeat_at is not None
        assert before.heartbeat_at is not None
        assert run.heartbeat_at > before.heartbeat_at

    def test_a_row_in_hand_shows_what_was_written(self, database: Database, queued: TuningRun) -> None:
        with database.session() as session:
            run = get_run(session, queued.id)
            claim(session, run.id, "first", LEASE)
            heartbeat(session, run.id, "first", progress=0.5)
            assert (run.state, run.worker, run.progress) == ("running", "first", 0.5)

    def test_a_heartbeat_cannot_end_a_run(self, database: Database, held: TuningRun) -> None:
        with database.session() as session, pytest.raises(ValueError, match="finish"):
            heartbeat(session, held.id, "first", state="succeeded")

    def test_a_run_that_succeeded_says_what_was_decided(self, database: Database, held: TuningRun) -> None:
        with database.session() as session:
            version = make_version(session, held.project_id)
            assert finish(
                session,
                held.id,
                "first",
                state="succeeded",
                decision="v2 is better by 0.1.",
                metrics={"candidate": 0.9},
                candidate_version_id=version.id,
            )
        run = now(database, held)
        assert (run.state, run.progress, run.decision) == ("succeeded", 1.0, "v2 is better by 0.1.")
        assert (run.metrics, run.candidate_version_id) == ({"candidate": 0.9}, version.id)
        assert run.finished_at is not None

    def test_a_run_that_failed_says_why_and_how_far_it_came(self, database: Database, held: TuningRun) -> None:
        with database.session() as session:
            heartbeat(session, held.id, "first", progress=0.3)
            assert finish(session, held.id, "first", state="failed", error="Out of memory.")
        run = now(database, held)
        assert (run.state, run.progress, run.error) == ("failed", 0.3, "Out of memory.")

    def test_a_run_ends_once(self, database: Database, held: TuningRun) -> None:
        with database.session() as session:
            assert finish(session, held.id, "first", state="succeeded")
            assert not finish(session, held.id, "first", state="failed")
        assert now(database, held).state == "succeeded"

    def test_a_run_does_not_end_in_the_middle(self, database: Database, held: TuningRun) -> None:
        with database.session() as session, pytest.raises(ValueError, match="ends as one of"):
            finish(session, held.id, "first", state="evaluating")

    def test_a_promotion_by_one_who_lost_the_lease_is_undone_by_raising(
        self, database: Database, held: TuningRun
    ) -> None:
        with database.session() as session:
            before = make_version(session, held.project_id)
            candidate = make_version(session, held.project_id, active=False)
        with pytest.raises(RuntimeError), database.session() as session:
            activate(session, candidate.id)
            if not finish(session, held.id, "another", state="succeeded", candidate_version_id=candidate.id):
                raise RuntimeError
        with database.session() as session:
            active = active_version(session, held.project_id)
            assert active is not None
            assert active.id == before.id


class TestCancel:
    """A person changes their mind."""

    def test_a_queued_run_is_cancelled_at_once(self, database: Database, queued: TuningRun) -> None:
        with database.session() as session:
            assert request_cancel(session, queued.id).state == "cancelled"
            assert not claim(session, queued.id, "first", LEASE)
            assert live_run(session, queued.project_id) is None
        assert now(database, queued).finished_at is not None

    def test_the_worker_of_a_running_one_is_told_and_ends_it(self, database: Database, held: TuningRun) -> None:
        with database.session() as session:
            run = request_cancel(session, held.id)
            assert (run.state, run.cancel_requested) == ("running", True)
            assert not heartbeat(session, held.id, "first", progress=0.9)
            assert finish(session, held.id, "first", state="cancelled")
        run = now(database, held)
        assert (run.state, run.progress) == ("cancelled", 0.0)

    def test_a_finished_run_stays_as_it_ended(self, database: Database, held: TuningRun) -> None:
        with database.session() as session:
            finish(session, held.id, "first", state="succeeded")
            run = request_cancel(session, held.id)
            assert (run.state, run.cancel_requested) == ("succeeded", False)


def test_the_run_behind_a_version_is_found(database: Database, held: TuningRun) -> None:
    with database.session() as session:
        version = make_version(session, held.project_id)
        assert run_behind(session, version.id) is None
        assert finish(session, held.id, "first", state="succeeded", candidate_version_id=version.id)
        found = run_behind(session, version.id)
        assert found is not None and found.id == held.id


@pytest.mark.parametrize("minutes", [-10, 10])
def test_leases_go_by_the_databases_clock_whatever_a_machines_own_says(
    database: Database, held: TuningRun, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.engine.dialect.name != "postgresql":
        pytest.skip("a SQLite file has one machine, and no clock")
    wrong = utc_now() + timedelta(minutes=minutes)
    monkeypatch.setattr("db.clock.utc_now", lambda: wrong)
    with database.session() as session:
        assert stale_runs(session, LEASE) == [] and not claim(session, held.id, "elsewhere", LEASE)
        assert heartbeat(session, held.id, "first")
        report(session, "celery@elsewhere", queues=[], engine={}, started_at=wrong)
        [one] = worker_reports(session)
        assert abs(about_shared_now() - one.reported_at) < timedelta(seconds=30)
