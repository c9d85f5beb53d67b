"""All rows of a database as plain values that JSON can hold, and back: the same for SQLite and PostgreSQL.

Tables are read from the database itself, not from the models, so that rows of older tables can be put back too.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, DateTime, MetaData, Table, func, inspect, select, text

_REVISIONS = "alembic_version"
# Rows written at once.
_BATCH = 500


# The name of a table, and a row of it.
Named = tuple[str, dict[str, Any]]


def dump_rows(connection: Connection) -> Iterator[Named]:
    """Every row of every table, parents before children."""
    for table in _tables(connection):
        rows = select(table).order_by(*table.primary_key.columns)
        for row in connection.execute(rows, execution_options={"yield_per": _BATCH}).mappings():
            yield table.name, {name: _portable(value) for name, value in row.items()}


def load_rows(connection: Connection, rows: Iterable[Named]) -> dict[str, int]:
    """Insert such rows, in their order, into empty tables of the same revision; how many went into each."""
    tables = {table.name: table for table in _tables(connection)}
    counts: dict[str, int] = {}
    for name, some in _batches(rows):
        connection.execute(tables[name].insert(), [_row(tables[name], values) for values in some])
        counts[name] = counts.get(name, 0) + len(some)
    return counts


def has_rows(connection: Connection) -> bool:
    """Whether there is a row in any table."""
    return any(connection.execute(select(table).limit(1)).first() for table in _tables(connection))


def revision(connection: Connection) -> str | None:
    """The revision of the tables; None where there are none."""
    if not inspect(connection).has_table(_REVISIONS):
        return None
    return connection.scalar(text(f"SELECT version_num FROM {_REVISIONS}"))


def last_ids(connection: Connection) -> dict[str, int]:
    """The highest id that each table has given out, also where that row is deleted."""
    if connection.dialect.name == "sqlite":
        if not inspect(connection).has_table("sqlite_sequence"):
            return {}
        return {row.name: row.seq for row in connection.execute(text("SELECT name, seq FROM sqlite_sequence"))}
    found = {}
    for name, sequence in _sequences(connection):
        number, given = connection.execute(text(f"SELECT last_value, is_called FROM {sequence}")).one()
        found[name] = number if given else 0
    return found


def set_last_ids(connection: Connection, known: dict[str, int]) -> None:
    """Have every table go on after the highest id that it ever gave out; call it when the rows are there."""
    if connection.dialect.name == "sqlite":
        for name, number in known.items():
            values = {"name": name, "number": number}
            connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name AND seq < :number"), values)
            connection.execute(
                text(
                    "INSERT INTO sqlite_sequence (name, seq) SELECT :name, :number "
                    "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = :name)"
                ),
                values,
            )
        return
    tables = {table.name: table for table in _tables(connection)}
    for name, sequence in _sequences(connection):
        highest = connection.scalar(select(func.max(tables[name].c.id))) or 0
        number = max(highest, known.get(name, 0))
        connection.execute(
            text("SELECT setval(:sequence, :number, :given)"),
            {"sequence": sequence, "number": max(number, 1), "given": number > 0},
        )


def _tables(connection: Connection) -> list[Table]:
    metadata = MetaData()
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != _REVISIONS]


def _sequences(connection: Connection) -> list[tuple[str, str]]:
    """PostgreSQL: table and sequence of every table whose ids come from one."""
    found = []
    for table in _tables(connection):
        if "id" in table.c:
            sequence = connection.scalar(text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": table.name})
            if sequence:
                found.append((table.name, sequence))
    return found


def _batches(named: Iterable[Named]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    current = ""
    rows: list[dict[str, Any]] = []
    for name, values in named:
        if rows and (name != current or len(rows) == _BATCH):
            yield current, rows
            rows = []
        current = name
        rows.append(values)
    if rows:
        yield current, rows


def _portable(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)).isoformat()
    return value


def _row(table: Table, values: dict[str, Any]) -> dict[str, Any]:
    times = {column.name for column in table.columns if isinstance(column.type, DateTime)}
    return {
        name: datetime.fromisoformat(value) if name in times and value is not None else value
        for name, value in values.items()
    }
