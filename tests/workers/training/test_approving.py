"""A run whose candidate waits for a second person, and what that person decides."""

from dataclasses import replace

import pytest

from db.errors import SecondPersonNeeded
from db.projects.projects import update_settings
from db.tables.core import PromptVersion, TuningRun
from db.training.prompt_versions import activate, active_version, get_version
from db.training.runs import get_run
from engine.learning.deciding import Decision
from tests.conftest import Installation
from tests.workers.making import correct
from workers.scoring.engine_host import get_engine
from workers.training import tuning_run
from workers.training.promoting import activate_version, decline_version
from workers.training.runs import start_run
from workers.training.tuning_run import tune


@pytest.fixture
def waits(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> TuningRun:
    """A run of ada's that found something better, in a project that wants a second person."""
    with installation.store.session() as session:
        update_settings(session, installation.project_id, {"second_person": True})
    learn = tuning_run.learn

    def better(*given: object) -> object:
        outcome = learn(*given)  # type: ignore[arg-type]
        return replace(outcome, decision=Decision(True, "Put in service: better.", outcome.decision.chosen))

    monkeypatch.setattr(tuning_run, "learn", better)
    correct(installation, 3)
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1, author="ada")
    tune(installation.store, get_engine(), run_id)
    return run_of(installation, run_id)


def run_of(installation: Installation, run_id: int) -> TuningRun:
    with installation.store.session(read_only=True) as session:
        return get_run(session, run_id)


def candidate(installation: Installation, run: TuningRun) -> tuple[PromptVersion, int]:
    """The run's version, and the id of the one in service."""
    with installation.store.session(read_only=True) as session:
        active = active_version(session, installation.project_id)
        assert active is not None and run.candidate_version_id is not None
        return get_version(session, run.candidate_version_id), active.id


def test_a_better_candidate_waits_until_another_user_puts_it_in_service(
    installation: Installation, waits: TuningRun
) -> None:
    assert waits.state == "succeeded" and waits.decision == "Waits for a second person: better."
    version, in_service = candidate(installation, waits)
    assert version.state == "awaiting" and in_service == waits.parent_version_id
    with pytest.raises(SecondPersonNeeded):
        activate_version(installation.store, version.id, author="ada")
    activate_version(installation.store, version.id, author="bob", admin=False, waiting=True)
    version, in_service = candidate(installation, waits)
    assert (version.state, version.activated_by, in_service) == ("active", "bob", version.id)
    assert run_of(installation, waits.id).decision.endswith("Put in service by bob.")
    with installation.store.session() as session:
        activate(session, waits.parent_version_id or 0)
    activate_version(installation.store, version.id, author="ada")  # it was in service before


def test_a_candidate_that_is_declined_is_refused_with_the_reason(installation: Installation, waits: TuningRun) -> None:
    version, in_service = candidate(installation, waits)
    decline_version(installation.store, version.id, author="bob", reason="Too few parts.", admin=False)
    version, now = candidate(installation, waits)
    assert version.state == "rejected" and now == in_service
    assert run_of(installation, waits.id).decision.endswith("Declined by bob: Too few parts.")
