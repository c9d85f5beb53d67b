"""Brings a database to the tables of this version, or back, with Alembic and no ini file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from db.connection import make_engine

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number, the same in every process: whoever holds this advisory lock on PostgreSQL is migrating.
_LOCK = 4_115_201_601


def migrate(url: str) -> None:
    """Upgrade to the newest tables; nothing to do is fine, and so are two processes at once (one waits)."""
    with locked_connection(url) as connection:
        command.upgrade(alembic_config(connection), "head")


def is_current(url: str) -> bool:
    """Whether the database has the tables of this version. Raises SQLAlchemyError where it can't be asked."""
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            head = ScriptDirectory.from_config(alembic_config(connection)).get_current_head()
            return MigrationContext.configure(connection).get_current_revision() == head
    finally:
        engine.dispose()


def downgrade(url: str, revision: str = "base") -> None:
    """Go back to an older revision; `base` drops every table and what is in it."""
    with locked_connection(url) as connection:
        command.downgrade(alembic_config(connection), revision)


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for `db/migrations`, run on this connection and in its transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


@contextmanager
def locked_connection(url: str) -> Iterator[Connection]:
    """One transaction around all migrations, so that they happen wholly or not at all."""
    # Foreign keys are off on SQLite, where dropping a table while it is rebuilt would delete what refers to it.
    engine = make_engine(url, foreign_keys=False)
    try:
        with engine.begin() as connection:  # on SQLite this waits for every other writer
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield connection
            if connection.dialect.name == "sqlite":
                _check_references(connection)
    finally:
        engine.dispose()


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        tables = ", ".join(sorted({row[0] for row in broken}))
        raise RuntimeError(
            f"After the migration {len(broken)} rows of {tables} would refer to rows that don't exist. "
            "Nothing was changed; this is a defect of the migration."
        )
