"""Upkeep of an installation on the command line: backup, restore, and a check that mends."""

from collections.abc import Iterator
from pathlib import Path

from db.blobs import BlobStore
from db.operations.backup import write_backup
from db.operations.check import Finding, check, lost_blobs
from db.operations.restore import read_blobs, restore_backup
from db.store import Store
from db.training.runs import stale_runs
from settings import Settings
from workers.operations.data_folder import sole_use
from workers.training.recovery import recover_runs


def backup(store: Store, target: Path) -> str:
    """Write a backup; what was written, as a sentence. Raises BadBackup, OSError."""
    file, contents = write_backup(store, target)
    sentence = f"{file}: {_rows(contents.rows)} and {contents.blobs} files of one moment."
    if contents.missing:
        sentence += f" {len(contents.missing)} files that rows name are missing: see python -m workers check."
    return sentence


def restore(settings: Settings, file: Path, *, replace: bool) -> str:
    """Put a backup back; what was restored, as a sentence. Raises BadBackup, InUse, OSError."""
    with sole_use(settings.home):
        blobs = BlobStore(settings.resolved_blob_url)
        contents = restore_backup(file, settings.resolved_database_url, blobs, replace=replace)
    return f"Restored {_rows(contents.rows)} and {contents.blobs} files, as they were at {contents.made_at}."


def look_through(
    store: Store, settings: Settings, *, mend: bool, deep: bool, blobs_from: Path | None
) -> Iterator[Finding]:
    """Everything that is not as it should be: rows, blobs, runs. Raises BadBackup, OSError for `blobs_from`."""
    if mend and blobs_from is not None:
        yield from _bring_back(store, blobs_from, deep=deep)
    yield from check(store, mend=mend, deep=deep)
    with store.session(read_only=True) as session:
        silent = [run.id for run in stale_runs(session, settings.lease_seconds)]
    if silent:
        if mend:
            recover_runs(store)
        yield Finding(f"{len(silent)} runs have a worker that is silent: {silent}.", "taken up again" if mend else "")


def _bring_back(store: Store, file: Path, *, deep: bool) -> Iterator[Finding]:
    lost = lost_blobs(store, deep=deep)
    brought = 0
    for key, data in read_blobs(file, lost):
        store.blobs.delete(key)  # where other bytes are in its place
        store.blobs.put(data)
        brought += 1
    if lost:
        yield Finding(f"{len(lost)} files were lost.", f"{brought} of them came back from {file}")


def _rows(counts: dict[str, int]) -> str:
    return f"{sum(counts.values())} rows ({', '.join(f'{count} {name}' for name, count in counts.items() if count)})"
