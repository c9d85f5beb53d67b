"""A backup: one tar file with all rows and all blobs of one moment, whichever database they are in.

The rows are read in one transaction that sees one state. Blobs never change under their key, so one that is copied
later is the same; only a deletion in between can take one away, and then the rows are read again, without it. A backup
of SQLite can be restored into PostgreSQL and the other way round, and one of an older version is brought up to date.
"""

import io
import json
import os
import tarfile
import tempfile
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from db.errors import BadBackup, BlobMissing
from db.operations.all_rows import dump_rows, last_ids, revision
from db.store import Store

FORMAT = 1
MANIFEST, ROWS, BLOBS = "manifest.json", "rows.jsonl", "blobs/"
# How often rows are read again because a blob was deleted meanwhile. What is missing even then was missing before.
_ATTEMPTS = 5


@dataclass(frozen=True)
class Contents:
    """What is in a backup: rows of each table, blobs, and the keys that rows name but the store did not hold."""

    format: int
    made_at: str
    revision: str
    rows: dict[str, int]
    last_ids: dict[str, int]
    blobs: int
    missing: list[str]


def write_backup(store: Store, target: Path) -> tuple[Path, Contents]:
    """Write a backup while everything goes on working.

    Args:
        store: what to keep a copy of.
        target: the file to write; or a folder, for a file in it that is named after the time.

    Returns:
        The file, which appears when it is whole, and what is in it.

    Raises:
        BadBackup: the file is there already, or the database has no tables.
    """
    now = datetime.now(UTC)
    if target.is_dir():
        target = target / f"anomalyloop-{now:%Y%m%d-%H%M%S}.tar"
    if target.exists():
        raise BadBackup(f"{target} is there already, and a backup replaces nothing. Name another file, or a folder.")
    part = target.with_name(f".{target.name}.part")
    try:
        with private_file(part) as file:
            contents = _write(store, file, now)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target, contents


def private_file(path: Path) -> IO[bytes]:
    """A new file to write, which nobody but this user may read: a backup has the hashes of passwords in it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _write(store: Store, file: IO[bytes], now: datetime) -> Contents:
    copied: set[str] = set()
    with tarfile.open(fileobj=file, mode="w") as archive, tempfile.TemporaryFile() as rows:
        for _ in range(_ATTEMPTS):
            snapshot = _Snapshot(store, rows)
            missing = [key for key in snapshot.keys if key not in copied and not _copy(store, key, archive, copied)]
            if not missing:
                break
        contents = Contents(
            FORMAT, now.isoformat(), snapshot.revision, snapshot.rows, snapshot.last_ids, len(copied), sorted(missing)
        )
        size = rows.tell()
        rows.seek(0)
        archive.addfile(_entry(ROWS, size), rows)
        manifest = json.dumps(asdict(contents), indent=1).encode()
        archive.addfile(_entry(MANIFEST, len(manifest)), io.BytesIO(manifest))
    return contents


class _Snapshot:
    """The rows of one moment, written into a file, and the blobs that they name."""

    def __init__(self, store: Store, file: IO[bytes]) -> None:
        file.seek(0)
        file.truncate()
        self.rows: dict[str, int] = {}
        keys: dict[str, None] = {}
        with store.database.snapshot() as connection:
            found = revision(connection)
            if found is None:
                raise BadBackup("The database has no tables, so there is nothing to keep. Start the app once first.")
            self.revision, self.last_ids = found, last_ids(connection)
            for table, values in dump_rows(connection):
                file.write(json.dumps([table, values]).encode() + b"\n")
                self.rows[table] = self.rows.get(table, 0) + 1
                keys |= {value: None for name, value in values.items() if name.endswith("blob_key") and value}
        # Runs' files first, which come last and are the first to be deleted.
        self.keys = list(reversed(keys))


def _copy(store: Store, key: str, archive: tarfile.TarFile, copied: set[str]) -> bool:
    try:
        data = store.blobs.get(key)
    except BlobMissing:
        return False
    archive.addfile(_entry(BLOBS + key, len(data)), io.BytesIO(data))
    copied.add(key)
    return True


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = size
    return entry
