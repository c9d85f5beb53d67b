"""`python -m engine` as people call it: in a process of its own, or, without importing torch anew, in this one."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.__main__ import main
from settings import get_settings

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """What a call left behind."""

    returncode: int
    stdout: str
    stderr: str


def start(spec: str, *words: object, **pipes: int) -> subprocess.Popen[str]:
    """Start a process with this backbone; `pipes` are Popen's."""
    environment = os.environ | _settings(spec)
    command = [sys.executable, "-m", "engine", *map(str, words)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)


def call_process(spec: str, *words: object) -> Ended:
    """Call it in a process of its own, which takes some seconds to import torch."""
    process = start(spec, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    written, errors = process.communicate()
    return Ended(process.returncode, written, errors)


def call(spec: str, *words: object) -> Ended:
    """The same in this process: from the words of the command line to the exit status."""
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(io.StringIO()) as written,
        redirect_stderr(io.StringIO()) as errors,
    ):
        patch.setattr(sys, "argv", ["python -m engine", *map(str, words)])
        for name, value in _settings(spec).items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        try:
            status = main()
        except SystemExit as end:  # argparse ends so
            status = int(end.code or 0)
    get_settings.cache_clear()
    return Ended(status, written.getvalue(), errors.getvalue())


def _settings(spec: str) -> dict[str, str]:
    return {"ANOMALYLOOP_BACKBONE": spec, "ANOMALYLOOP_DEVICE": "cpu"}
