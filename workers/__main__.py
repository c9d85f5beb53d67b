"""`python -m workers`: the command line of an installation, once its settings are known to be good."""

import sys
from collections.abc import Sequence

from settings import BadSettings, misspelt, read_settings


def main(words: Sequence[str] | None = None, *, program: str = "python -m workers") -> int:
    """The exit status of the command; 2 for settings that can't be used, of which all else would fail.

    Args:
        words: of the command line; None: those of this process.
        program: what `--help` calls it.
    """
    try:
        read_settings()
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    for sentence in misspelt():
        print(sentence, file=sys.stderr)
    from workers.operations.command_line import main as carry_out  # reads the settings when it is imported

    return carry_out(words, program=program)


if __name__ == "__main__":
    sys.exit(main())
