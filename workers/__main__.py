"""`python -m workers`: the command line of an installation, once its settings are known to be good."""

import sys

from settings import BadSettings, misspelt, read_settings


def main() -> int:
    """The exit status of the command; 2 for settings that can't be used, of which all else would fail."""
    try:
        read_settings()
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    for sentence in misspelt():
        print(sentence, file=sys.stderr)
    from workers.command_line import main as carry_out  # reads the settings when it is imported

    return carry_out()


if __name__ == "__main__":
    sys.exit(main())
