"""Several real Celery workers with an engine that sleeps: who scores what, and what a dead one leaves behind."""

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import event, select

from benchmarks import workers as crew
from db.migrate import migrate
from db.store import Store, open_store
from db.tables.claims import ScoringClaim
from settings import get_settings
from tests.conftest import Installation
from tests.running import ROOT, wait_until
from tests.workers.broker.test_external_broker import answers
from tests.workers.making import add
from workers.scoring.claims import claimed
from workers.scoring.scorer import score_unscored


@pytest.fixture
def redis() -> str:
    if not answers(crew.REDIS):
        pytest.skip(f"Redis does not answer at {crew.REDIS}")
    return crew.REDIS


@pytest.fixture
def place(postgres_url: str, tmp_path: Path, redis: str) -> tuple[Store, dict[str, str], Path]:
    """A store with a version of the sleeping engine, the environment of its workers, and what they encode."""
    migrate(postgres_url)
    store = open_store(postgres_url, f"file://{tmp_path / 'blobs'}")
    crew.add_version(store)
    environment = crew.environment_of(tmp_path, postgres_url, redis) | {"ANOMALYLOOP_LEASE_SECONDS": "2"}
    return store, environment, tmp_path / "encoded.txt"


def send(task: str, *arguments: object) -> None:
    from celery import Celery

    with Celery(broker=crew.REDIS) as app:
        app.send_task(f"workers.tasks.{task}", arguments, queue="scoring")


def encoded(log: Path) -> list[tuple[str, str]]:
    """Process and picture, for each time that one was encoded."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(process, picture) for process, picture in (line.split() for line in lines)]


def test_three_workers_share_the_images_and_encode_none_twice(place: tuple[Store, dict[str, str], Path]) -> None:
    store, environment, log = place
    with crew.running(3, environment, 0.05, log):
        crew.fill(store, range(60))
        send("score_project", 1)  # one message: whoever takes it wakes the others
        wait_until(lambda: crew.scored(store) == 60, "scored")
        time.sleep(0.5)
    assert len(encoded(log)) == 60 and set(Counter(picture for _, picture in encoded(log)).values()) == {1}
    assert len({process for process, _ in encoded(log)}) == 3 and claims(store) == []


def claims(store: Store) -> list[int]:
    with store.session(read_only=True) as session:
        return list(session.scalars(select(ScoringClaim.image_id)))


def test_what_a_killed_worker_had_claimed_comes_back_to_another(place: tuple[Store, dict[str, str], Path]) -> None:
    store, environment, log = place
    crew.fill(store, range(6))
    with crew.running(1, environment, 60.0, log) as [stuck]:
        send("score_project", 1)
        wait_until(lambda: claims(store), "claimed")
        taken = claims(store)
        time.sleep(3.0)  # longer than its lease: a worker that lives keeps what it has
        stuck.send_signal(signal.SIGKILL)
        stuck.wait()
    with crew.running(1, environment, 0.01, log):
        wait_until(lambda: (send("score_project", 1), time.sleep(0.5), crew.scored(store) == 6)[2], "scored", 30)
    assert taken and len(encoded(log)) == 6 and claims(store) == []


def test_a_claim_is_one_short_write_for_a_whole_batch(installation: Installation) -> None:
    for seed in range(12):
        add(installation, seed=seed)
    began: list[str] = []
    engine = installation.store.database.engine
    event.listen(engine, "begin", lambda connection: began.append("write" if not _reads(connection) else "read"))
    assert score_unscored(installation.store, installation.project_id, 16) == 12
    # One for the claim, one for each batch of eight that is encoded; and one for what stands out.
    assert began.count("write") <= 4
    assert score_unscored(installation.store, installation.project_id, 16) == 0
    writes = began.count("write")
    for _ in range(5):  # where there is nothing to do, nothing is written
        score_unscored(installation.store, installation.project_id, 16)
    assert began.count("write") == writes


def _reads(connection: object) -> bool:
    return bool(connection.get_execution_options().get("read_only"))  # type: ignore[attr-defined]


def test_images_are_free_again_when_the_model_fails(installation: Installation) -> None:
    ids = [add(installation, seed=seed) for seed in range(3)]
    with pytest.raises(RuntimeError), claimed(installation.store, ids, 3) as mine:
        assert mine == ids
        raise RuntimeError("CUDA error")
    assert claims(installation.store) == []


def test_a_sqlite_file_is_shared_by_processes_without_an_image_scored_twice(installation: Installation) -> None:
    ids = [add(installation, seed=seed) for seed in range(8)]
    code = (
        "import sys; from workers.context import get_store; from workers.scoring.claims import claimed\n"
        "with claimed(get_store(), [int(one) for one in sys.argv[1:]], 5) as mine: print(len(mine))"
    )
    with claimed(installation.store, ids, 5) as mine:
        assert mine == ids[:5]
        other = subprocess.run(
            [sys.executable, "-c", code, *map(str, ids)], cwd=ROOT, check=True, capture_output=True, text=True
        )
    assert other.stdout.strip() == "3" and get_settings().embedded_broker
