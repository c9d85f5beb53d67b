"""A process is killed after a file is written and before a row names it: nothing to mend is left, and soon no file."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from db.operations.check import check
from db.store import Store
from tests.conftest import Installation
from tests.pictures import mask_png, png
from tests.workers.making import add, nameless
from workers.images.correcting import save_mask
from workers.images.intake import add_upload
from workers.operations.command_line import main
from workers.operations.pruning import prune
from workers.scoring.scorer import score_unscored


def grow_old(home: Path, hours: float) -> None:
    then = time.time() - 3600 * hours
    for file in (home / "blobs").rglob("*"):
        os.utime(file, (then, then))


def killed_in(work: Callable[[], object], owner: type, name: str) -> None:
    """Do it in a process of its own, which is killed where it calls this method."""
    child = os.fork()
    if child == 0:
        setattr(owner, name, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        work()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


@pytest.mark.parametrize("what", ["upload", "mask", "map"])
def test_a_file_that_nothing_names_is_nothing_to_mend(
    installation: Installation, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store, image_id = installation.store, add(installation, seed=1)
    store.database.close()
    work = {
        "upload": lambda: add_upload(store, installation.project_id, "2.png", png(2)),
        "mask": lambda: save_mask(store, image_id, mask_png()),
        "map": lambda: score_unscored(store, installation.project_id, limit=1),
    }
    killed_in(work[what], Store, "keep_until_named")
    assert len(nameless(installation)) == 1
    for hours in (0, 2, 12):  # right then, and until the schedule has come by
        grow_old(installation.home, hours)
        assert main(["check"]) == 0 and "All is well." in capsys.readouterr().out
    assert prune(store)["files that belong to nothing"] == 1
    assert nameless(installation) == set()
    work[what]()
    assert nameless(installation) == set() and check(store, mend=True, deep=True) == []


def test_half_a_file_is_none_either(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    store = installation.store
    store.database.close()
    killed_in(lambda: add_upload(store, installation.project_id, "2.png", png(2)), os, "replace")
    assert len(store.blobs.leftovers(-1)) == 1
    grow_old(installation.home, 2)
    assert main(["check"]) == 0 and "All is well." in capsys.readouterr().out
    assert prune(store)["files that belong to nothing"] == 1 and store.blobs.leftovers(-1) == []
