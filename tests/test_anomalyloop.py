"""`anomalyloop COMMAND`: the one command line over page, engine and workers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from anomalyloop import COMMANDS, main
from tests.engine.conftest import picture

ROOT = Path(__file__).parents[1]


def test_help_names_every_command(capsys):
    assert main(["--help"]) == main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n  {name} " in shown for name in COMMANDS)


def test_an_unknown_command_is_refused_with_those_that_there_are(capsys):
    assert main(["scroe"]) == 2
    errors = capsys.readouterr().err
    assert "There is no command 'scroe'" in errors and "\n  score " in errors


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_hands_on_to_one_that_there_is(name, configured, capsys):
    with pytest.raises(SystemExit) as end:
        if name == "serve":
            import app

            app.main(["--help"], program="anomalyloop serve")  # in a process of its own it ends the process
            sys.exit(0)
        main([name, "--help"])
    assert end.value.code == 0
    assert f"usage: anomalyloop {name} " in capsys.readouterr().out


def test_the_engine_is_given_the_settings(configured, tmp_path, capsys):
    picture(0).save(tmp_path / "part.png")
    assert main(["score", str(tmp_path / "part.png"), "--json"]) == 0
    by_settings = json.loads(capsys.readouterr().out)["score"]
    assert main(["score", str(tmp_path / "part.png"), "--json", "--backbone", "embedded"]) == 0
    assert json.loads(capsys.readouterr().out)["score"] != by_settings  # what is said counts before what is set


def test_settings_that_can_not_be_used_are_named(configured, monkeypatch, capsys):
    from settings import get_settings

    monkeypatch.setenv("ANOMALYLOOP_PRECISION", "fp7")
    get_settings.cache_clear()
    assert main(["score", "part.png"]) == 2
    assert "ANOMALYLOOP_PRECISION" in capsys.readouterr().err


def test_serve_ends_with_the_status_of_the_app():
    answer = subprocess.run(
        [sys.executable, "-m", "anomalyloop", "serve", "--port", "many"], cwd=ROOT, capture_output=True, text=True
    )
    assert answer.returncode == 2 and "usage: anomalyloop serve" in answer.stderr
