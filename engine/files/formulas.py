"""Tables as CSV that people open in a spreadsheet: none of their texts is calculated there."""

import re
from typing import Any

# How what a spreadsheet calculates begins (OWASP, CSV injection), and what `cell` has made of such a text.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_MARKED = re.compile(r"'+[=+\-@\t\r\n]")


def cell(value: Any) -> Any:
    """What to write of a value: text that would pass for a formula begins with an apostrophe, one more than it had."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def text_of(written: str) -> str:
    """The text that `cell` made this of."""
    return written[1:] if _MARKED.match(written) else written
