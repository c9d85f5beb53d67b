"""Tables of text as people have them: saved by Excel in whatever country, with commas, semicolons or tabs."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from engine.errors import EngineError
from engine.files.encodings import UnknownEncoding, decode_text


class TableError(EngineError):
    """A table that can't be read."""


def read_table(file: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The columns of a table, named in its first line, and its rows; what a row lacks is empty, empty lines are none.

    UTF-8 with and without a byte order mark, UTF-16 and the old encodings of Windows are read.

    Raises:
        OSError: it can't be read at all.
        TableError: it is no text.
    """
    try:
        text = decode_text(file.read_bytes())
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
        table = [[cell.strip() for cell in line] for line in lines if any(cell.strip() for cell in line)]
    except (UnknownEncoding, csv.Error) as error:
        raise TableError(f"{file} can't be read as a table: {error}") from error
    columns = table[0] if table else []
    rows = [dict(zip(columns, [*line, *[""] * len(columns)], strict=False)) for line in table[1:]]
    return columns, rows


def for_excel(text: str) -> bytes:
    """A table's bytes, in UTF-8; with the mark by which Excel tells that, where it has more than ASCII."""
    return text.encode("utf-8" if text.isascii() else "utf-8-sig", errors="backslashreplace")


def missing_columns(columns: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Those of the wanted columns that a table has not."""
    return [name for name in wanted if name not in columns]


def _delimiter(text: str) -> str:
    """What parts the names of the columns: Excel writes semicolons where commas are in numbers, and tabs in UTF-16."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)
