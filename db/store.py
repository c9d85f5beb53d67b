"""The database and the blobs together: what the other rooms hand around."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.blobs import BlobStore
from db.session import Database


@dataclass(frozen=True)
class Store:
    """Where everything is kept."""

    database: Database
    blobs: BlobStore

    def session(self, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """One transaction; see `Database.session`."""
        return self.database.session(read_only=read_only)


def open_store(database_url: str, blob_url: str) -> Store:
    """Open both; the tables must have been made by `db.session.migrate(database_url)`."""
    return Store(Database(database_url), BlobStore(blob_url))
