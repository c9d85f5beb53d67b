"""What a run costs: images are encoded once, and a run says how many it had to encode."""

from db.models import TuningRun
from db.runs import get_run
from tests.conftest import Installation
from tests.workers.making import change_run, correct
from workers.engine_host import get_engine
from workers.runs import start_run
from workers.tuning import tune


def run(installation: Installation, **changes: object) -> TuningRun:
    """Start a run, carry it out in this process, and return it."""
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1)
    if changes:
        change_run(installation, run_id, **changes)
    tune(installation.store, get_engine(), run_id)
    with installation.store.session(read_only=True) as session:
        return get_run(session, run_id)


def test_a_second_run_encodes_what_is_new_and_says_so(installation: Installation) -> None:
    correct(installation, 4)
    first = run(installation)
    correct(installation, 10, first_seed=100)
    second = run(installation)
    assert [first.state, second.state] == ["succeeded", "succeeded"]
    assert [first.encoded_images, second.encoded_images] == [4, 10]
    assert second.metrics["encoded_images"] == 10
    assert "10 of 14 corrected images had to be encoded" in second.decision


def test_what_an_earlier_attempt_encoded_still_counts(installation: Installation) -> None:
    correct(installation, 4)
    assert run(installation, encoded_images=3).encoded_images == 7


def test_a_run_waits_for_a_place_for_files_that_is_away(installation: Installation) -> None:
    correct(installation, 4)
    blobs, away = installation.home / "blobs", installation.home / "away"
    run_id = start_run(installation.store, installation.project_id, trigger="manual", epochs=1)
    blobs.rename(away)
    blobs.write_text("a file where the folder should be")
    for _ in range(5):  # more often than a run is taken up again after its worker was lost
        tune(installation.store, get_engine(), run_id)
    with installation.store.session(read_only=True) as session:
        waiting = get_run(session, run_id)
    assert (waiting.state, waiting.attempt, waiting.error) == ("queued", 0, "")
    blobs.unlink()
    away.rename(blobs)
    tune(installation.store, get_engine(), run_id)
    with installation.store.session(read_only=True) as session:
        assert get_run(session, run_id).state == "succeeded"
