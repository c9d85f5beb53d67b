"""Child processes: real ones, started, restarted and ended."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import alive, children, wait_until
from workers.broker.supervisor import Supervisor


@pytest.fixture
def supervisor(configured: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(roles=("beat",))
    supervisor.start()
    wait_until(lambda: children(os.getpid()), "started")
    yield supervisor
    supervisor.stop()


def test_a_child_that_ends_is_started_again_and_none_stays_behind(supervisor: Supervisor) -> None:
    first = children(os.getpid())["beat"]
    os.kill(first, signal.SIGTERM)
    wait_until(lambda: children(os.getpid()).get("beat", first) != first, "started again")
    second = children(os.getpid())["beat"]
    supervisor.stop()
    assert not alive(first) and not alive(second)


def test_a_child_that_does_not_end_by_itself_is_killed(supervisor: Supervisor) -> None:
    pid = children(os.getpid())["beat"]
    os.kill(pid, signal.SIGSTOP)  # it hears of nothing any more
    supervisor.stop()
    assert not alive(pid)


def test_children_work_in_the_folder_of_the_app_and_import_nothing_from_it(
    configured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.py").write_text("raise SystemExit('the folder of the user was imported')")
    configured.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANOMALYLOOP_HOME", configured.name)  # relative, as `data` is by default
    supervisor = Supervisor(roles=("beat",))
    supervisor.start()
    try:
        wait_until(lambda: list(configured.glob("alive-beat-*")), "the beat's sign of life")
    finally:
        supervisor.stop()
