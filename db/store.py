"""The database and the blobs together: what the other rooms hand around."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db.blobs import BlobStore
from db.errors import BlobsUnavailable
from db.operations.blob_rows import hold_blobs, named_blobs
from db.session import Database

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Store:
    """Where everything is kept."""

    database: Database
    blobs: BlobStore

    def session(self, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """One transaction; see `Database.session`."""
        return self.database.session(read_only=read_only)

    def keep_until_named(self, session: Session, data: bytes) -> str:
        """In the writing session that then writes a row naming these bytes: they are there, and stay.

        Put them before the session, as that may take long; here it is only made sure that nobody has deleted them
        since, as bytes that no row named. Returns the key. Raises BlobsUnavailable.
        """
        hold_blobs(session)
        return self.blobs.put(data)

    @contextmanager
    def clearing_up(self, keys: Iterable[str]) -> Iterator[set[str]]:
        """Around the writing session whose rows name these blobs, which were put before: nothing nameless stays behind.

        Yields a set for the keys of blobs that rows named until then, or that are not named after all. They are deleted
        at the end, and where the session fails so are `keys`; none of either that another row names.
        """
        left: set[str] = set()
        try:
            yield left
        except Exception:
            try:
                self.delete_blobs(left.union(keys))
            except Exception:  # mostly for the same reason; `workers.operations.pruning` deletes them some time
                logger.debug("What nothing names stays for now.", exc_info=True)
            raise
        if left:
            self.delete_blobs(left)

    def delete_blobs(self, keys: Iterable[str]) -> int:
        """Delete those of these blobs that no row names; how many that were.

        What can't be deleted now stays as a file that nobody names, which costs room and nothing else.
        """
        wanted = set(keys)
        with self.session() as session:
            hold_blobs(session, alone=True)
            nameless = wanted - named_blobs(session, wanted)
            try:
                for key in nameless:
                    self.blobs.delete(key)
            except BlobsUnavailable as error:
                logger.warning("Some blobs that nothing names stay where they are. %s", error)
        return len(nameless)


def open_store(database_url: str, blob_url: str) -> Store:
    """Open both; the tables must have been made by `db.migrate.migrate(database_url)`."""
    return Store(Database(database_url), BlobStore(blob_url))
