"""`python -m workers`: prompt files into the database, backup and restore, a check that mends."""

import shutil
import sys
from datetime import timedelta

import pytest

from db.images.annotations import newest_annotation
from db.tables.base import utc_now
from db.training.prompt_versions import list_versions
from db.training.runs import claim
from engine.detector.prompt_files import prompts_to_bytes
from engine.detector.prompts import random_prompts
from tests.workers.making import change_run, correct
from workers.__main__ import main
from workers.operations.data_folder import sole_use
from workers.scoring.engine_host import get_engine
from workers.training.runs import start_run


@pytest.fixture
def run(monkeypatch):
    def run(*words: object) -> int:
        monkeypatch.setattr(sys, "argv", ["workers", *map(str, words)])
        return main()

    return run


@pytest.fixture
def call(run):
    return lambda *words: run("prompts", "import", *words)


def test_a_file_becomes_a_version_that_says_where_it_comes_from(installation, call, tmp_path, capsys):
    file = tmp_path / "mine.safetensors"
    file.write_bytes(prompts_to_bytes(random_prompts(get_engine().backbone, seed=3)))
    assert call(file) == 0
    assert "Version 2 of default, for tiny" in capsys.readouterr().out
    with installation.store.session(read_only=True) as session:
        version = list_versions(session, installation.project_id)[0]
        assert (version.state, version.origin) == ("candidate", "imported")
        assert version.note == "imported from mine.safetensors: random, seed 3"


def test_it_works_before_the_app_was_ever_started(configured, call, tmp_path):
    file = tmp_path / "mine.safetensors"
    file.write_bytes(prompts_to_bytes(random_prompts(get_engine().backbone, seed=3)))
    assert call(file) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [((), "not a safetensors file of prompts"), (("--project", "none"), "'none' (there are: default)")],
)
def test_what_can_not_be_imported_is_one_line(installation, call, tmp_path, capsys, words, said):
    file = tmp_path / "wrong.pth"
    file.write_bytes(b"no prompts at all")
    assert call(file, *words) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert said in error


def test_a_lost_installation_comes_back_from_its_backup(installation, run, tmp_path, capsys):
    annotation = correct(installation, 1)[0]
    assert run("backup", tmp_path) == 0
    assert "1 images, 1 annotations" in capsys.readouterr().out.replace("1 prompt_versions, ", "")
    [file] = tmp_path.glob("anomalyloop-*.tar")
    installation.store.database.close()
    shutil.rmtree(installation.home)
    assert run("restore", file) == 0
    assert "Restored" in capsys.readouterr().out
    with installation.store.session(read_only=True) as session:
        again = newest_annotation(session, annotation.image_id)
    assert again is not None and installation.store.blobs.exists(again.mask_blob_key)
    assert run("restore", file) == 2
    assert "not empty" in capsys.readouterr().err
    assert run("check") == 0
    assert capsys.readouterr().out == "All is well.\n"


def test_nothing_is_restored_under_a_running_app(installation, run, tmp_path, capsys):
    assert run("backup", tmp_path / "it.tar") == 0
    with sole_use(installation.home):
        assert run("restore", tmp_path / "it.tar", "--replace") == 2
    assert "Another AnomalyLoop" in capsys.readouterr().err


def test_the_check_brings_lost_masks_back_and_takes_up_lost_runs(installation, run, tmp_path, capsys):
    annotation = correct(installation, 1)[0]
    run("backup", tmp_path / "it.tar")
    installation.store.blobs.delete(annotation.mask_blob_key)
    run_id = start_run(installation.store, installation.project_id, trigger="manual")
    with installation.store.session() as session:
        claim(session, run_id, "lost-worker", 30)
    change_run(installation, run_id, heartbeat_at=utc_now() - timedelta(hours=1))
    assert run("check") == 1
    said = capsys.readouterr().out
    assert "1 annotations have no mask" in said and "1 runs have a worker that is silent" in said
    assert run("check", "--mend", "--blobs-from", tmp_path / "it.tar") == 0
    assert installation.store.blobs.exists(annotation.mask_blob_key)
    assert run("check") == 0
