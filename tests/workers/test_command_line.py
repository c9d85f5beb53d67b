"""`python -m workers prompts import`: prompt files into the database of an installation."""

import sys

import pytest

from db.prompt_versions import list_versions
from engine.prompt_files import prompts_to_bytes
from engine.prompts import random_prompts
from workers.__main__ import main
from workers.engine_host import get_engine


@pytest.fixture
def call(monkeypatch):
    def run(*words: object) -> int:
        monkeypatch.setattr(sys, "argv", ["workers", "prompts", "import", *map(str, words)])
        return main()

    return run


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
