"""Putting a backup back, all of it or only some blobs. See db/operations/backup.py for what one is."""

import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.util import CommandError
from sqlalchemy import Connection

from db.blobs import BlobStore, blob_key
from db.errors import BadBackup
from db.migrate import alembic_config, locked_connection
from db.operations.all_rows import Named, has_rows, load_rows, set_last_ids
from db.operations.backup import BLOBS, FORMAT, MANIFEST, ROWS, Contents


def read_blobs(file: Path, keys: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Those of these blobs that are in a backup. Raises BadBackup."""
    wanted = set(keys)
    with _opened(file) as archive:
        yield from _blobs(archive, file, wanted.__contains__)


def restore_backup(file: Path, database_url: str, blobs: BlobStore, *, replace: bool = False) -> Contents:
    """Put everything back: the blobs, then all rows in one transaction, brought to the tables of this version.

    Args:
        file: a backup.
        database_url: an empty database, of either kind.
        blobs: where the blobs go; those that are there already stay.
        replace: whether rows that are in the database are deleted for it.

    Raises:
        BadBackup: no whole backup, or the database is not empty; then no row has changed.
    """
    with _opened(file) as archive:
        contents = _contents(archive, file)
        for _, data in _blobs(archive, file, lambda _: True):
            blobs.put(data)
        with locked_connection(database_url) as connection:
            if not replace and has_rows(connection):
                raise BadBackup(
                    "The database is not empty, and its rows would be deleted. Restore into a new one (another "
                    "ANOMALYLOOP_HOME or ANOMALYLOOP_DATABASE_URL), or stop the app and say --replace."
                )
            _make_tables(connection, contents.revision, file)
            rows = load_rows(connection, _rows(archive, file))
            if rows != contents.rows:
                raise BadBackup(f"{file} is damaged: its rows are not those that it says it has. Use another backup.")
            set_last_ids(connection, contents.last_ids)
            command.upgrade(alembic_config(connection), "head")
    return contents


def _make_tables(connection: Connection, at: str, file: Path) -> None:
    """Empty tables of the backup's revision, in place of what is there."""
    config = alembic_config(connection)
    command.downgrade(config, "base")
    try:
        command.upgrade(config, at)
    except CommandError as error:
        raise BadBackup(f"{file} was made by a newer version (its tables are {at!r}). Restore it with that.") from error


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:") as archive:
            yield archive
    except (tarfile.TarError, EOFError) as error:
        raise BadBackup(f"{file} is no whole backup ({error}). Use another one.") from error


def _contents(archive: tarfile.TarFile, file: Path) -> Contents:
    try:
        found = json.loads(_read(archive, MANIFEST))
        if found.get("format") != FORMAT:
            raise BadBackup(f"{file} has the format {found.get('format')}, and {FORMAT} is known here.")
        return Contents(**found)
    except (KeyError, TypeError, ValueError) as error:
        raise BadBackup(f"{file} is no whole backup: it has no {MANIFEST} that can be read.") from error


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    opened = archive.extractfile(name)
    if opened is None:
        raise KeyError(name)
    return opened.read()


def _blobs(archive: tarfile.TarFile, file: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    for entry in archive:
        key = entry.name.removeprefix(BLOBS)
        if key == entry.name or not wanted(key):
            continue
        data = _read(archive, entry.name)
        if blob_key(data) != key:  # so that nothing but what was kept comes back, whatever an archive says
            raise BadBackup(f"{file} is damaged: {entry.name} has other bytes than it had. Use another backup.")
        yield key, data


def _rows(archive: tarfile.TarFile, file: Path) -> Iterator[Named]:
    lines = archive.extractfile(ROWS)
    if lines is None:
        raise BadBackup(f"{file} has no {ROWS}. Use another backup.")
    for line in lines:
        name, values = json.loads(line)
        yield name, values
