"""`python -m engine` as people call it: in a process of its own, or, without importing torch anew, in this one."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from engine.__main__ import main

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """What a call left behind."""

    returncode: int
    stdout: str
    stderr: str


def start(spec: str, *words: object, **pipes: int) -> subprocess.Popen[str]:
    """Start a process with this backbone; `pipes` are Popen's."""
    command = [sys.executable, "-m", "engine", *_words(spec, words)]
    return subprocess.Popen(command, cwd=ROOT, text=True, **pipes)


def call_process(spec: str, *words: object) -> Ended:
    """Call it in a process of its own, which takes some seconds to import torch."""
    process = start(spec, *words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    written, errors = process.communicate()
    return Ended(process.returncode, written, errors)


def call(spec: str, *words: object) -> Ended:
    """The same in this process: from the words of the command line to the exit status."""
    with redirect_stdout(io.StringIO()) as written, redirect_stderr(io.StringIO()) as errors:
        try:
            status = main(_words(spec, words))
        except SystemExit as end:  # argparse ends so
            status = int(end.code or 0)
    return Ended(status, written.getvalue(), errors.getvalue())


def _words(spec: str, words: tuple[object, ...]) -> list[str]:
    """The command, the backbone's options, and then its own, which count where both are there."""
    command, *others = map(str, words)
    return [command, "--backbone", spec, "--device", "cpu", *others]
