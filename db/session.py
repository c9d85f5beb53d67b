"""One way to get a session: `with database.session() as session:` is one transaction. Knows no tables."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from db.connection import make_engine


class Database:
    """A database and its connections, shared by the threads of a process."""

    def __init__(self, url: str) -> None:
        """Open the database at this SQLAlchemy URL; it is connected to when first used."""
        self.engine: Engine = make_engine(url)
        self._reading = self.engine.execution_options(read_only=True)
        if self.engine.dialect.name == "postgresql":
            self._reading = self._reading.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")

    @contextmanager
    def session(self, *, read_only: bool = False) -> Iterator[Session]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        On SQLite there is one writer at a time, from its first statement to its end: keep the block short, do no
        encoding or uploading in it, and open no second writing session inside. `read_only=True` waits for nobody and
        sees one state of the database throughout; writing in it is an error. Rows stay readable after the block.
        """
        engine = self._reading if read_only else self.engine
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that may only read, and sees one moment of the database throughout, on PostgreSQL too."""
        with self._reading.connect() as connection, connection.begin():
            yield connection

    def ping(self) -> None:
        """Raise (an SQLAlchemyError) unless the database answers and has been migrated."""
        with self.session(read_only=True) as session:
            session.execute(text("SELECT 1 FROM alembic_version"))

    def close(self) -> None:
        """Close all connections that no session holds."""
        self.engine.dispose()
