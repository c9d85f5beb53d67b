"""The command `anomalyloop`: hands on to the page, the engine and the workers, with the settings of the environment.

`pip install .` puts it on the path; in a checkout it is `python -m anomalyloop`.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from settings import BadSettings, misspelt, read_settings

PROGRAM = "anomalyloop"


def _serve(words: Sequence[str]) -> int:
    """`python app.py`; the process ends with it."""
    import app

    app.end_process(app.main(list(words), program=f"{PROGRAM} serve"))


def _engine(command: str, words: Sequence[str]) -> int:
    """`python -m engine COMMAND`, with the backbone of the settings."""
    try:
        settings = read_settings()
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    for sentence in misspelt():
        print(sentence, file=sys.stderr)
    from engine.__main__ import main as carry_out  # loads torch

    names = ("backbone", "device", "precision", "image_size", "max_pixels", "max_upload_mb")
    defaults = {name: getattr(settings, name) for name in names}
    return carry_out([command, *words], program=PROGRAM, defaults=defaults)


def _workers(command: str, words: Sequence[str]) -> int:
    """`python -m workers COMMAND`."""
    from workers.__main__ import main as carry_out

    return carry_out([command, *words], program=PROGRAM)


@dataclass(frozen=True)
class Command:
    """What a word of the command line does, said and done."""

    says: str
    carry_out: Callable[[Sequence[str]], int]


COMMANDS = {
    "serve": Command("the page, REST and their worker, until it is told to end", _serve),
    "score": Command("scores, maps, masks and overlays of image files and folders", partial(_engine, "score")),
    "fit": Command("learn from a folder of labelled images, into a file", partial(_engine, "fit")),
    "evaluate": Command("methods and experiments on data sets", partial(_engine, "evaluate")),
    "export": Command("the model with a detector in it, as ONNX", partial(_engine, "export")),
    "prompts": Command("what a detector's or prompts' file was made for", partial(_engine, "prompts")),
    "versions": Command("bring such a file into the database, as a version", partial(_workers, "versions")),
    "users": Command("accounts and their tokens", partial(_workers, "users")),
    "migrate": Command("bring the database up to date", partial(_workers, "migrate")),
    "backup": Command("all rows and files of one moment, as one tar", partial(_workers, "backup")),
    "restore": Command("put a backup back", partial(_workers, "restore")),
    "check": Command("find, and mend, what doesn't belong together", partial(_workers, "check")),
}


def main(words: Sequence[str] | None = None) -> int:
    """The exit status of a command; 2 where there is no such command."""
    words = sys.argv[1:] if words is None else words
    name, rest = (words[0], words[1:]) if words else ("--help", ())
    if name in ("--help", "-h", "help"):
        print(_help())
        return 0
    if name not in COMMANDS:
        print(f"There is no command {name!r}.\n\n{_help()}", file=sys.stderr)
        return 2
    return COMMANDS[name].carry_out(rest)


def _help() -> str:
    lines = [f"  {name:<10}{command.says}" for name, command in COMMANDS.items()]
    return "\n".join([f"usage: {PROGRAM} COMMAND …    ({PROGRAM} COMMAND --help says the rest)", "", *lines])


if __name__ == "__main__":
    sys.exit(main())
