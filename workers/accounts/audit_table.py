"""The audit log as a table, to be kept or looked through elsewhere."""

import csv
import io
from collections.abc import Iterator

from db.accounts.audit import AuditFilter, entries_after
from db.store import Store
from db.tables.accounts import AuditEntry
from engine.files.formulas import cell

COLUMNS = ("id", "at", "user_name", "via", "address", "action", "object")
# Entries that are read at once, each time in a transaction of its own, so that no writer waits for a slow reader.
_BATCH = 1000


def audit_csv(store: Store, wanted: AuditFilter) -> Iterator[bytes]:
    """The entries that pass the filter as CSV, the oldest first, in pieces: in UTF-8 with a mark for Excel.

    Times are ISO 8601 in UTC. A text that a spreadsheet would calculate begins with an apostrophe.
    """
    yield "\ufeff".encode() + _lines([COLUMNS])
    last = 0
    while True:
        with store.session(read_only=True) as session:
            entries = entries_after(session, wanted, last, _BATCH)
        if not entries:
            return
        yield _lines([_row(entry) for entry in entries])
        last = entries[-1].id


def _row(entry: AuditEntry) -> tuple[object, ...]:
    values = {name: getattr(entry, name) for name in COLUMNS} | {"at": entry.at.isoformat()}
    return tuple(cell(values[name]) for name in COLUMNS)


def _lines(rows: list[tuple[object, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode(errors="backslashreplace")
