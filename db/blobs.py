"""Content-addressed files over fsspec: a folder, or a bucket. Knows neither what they hold nor who refers to them.

A blob's key is made of the sha256 of its bytes, so the same bytes are kept once, a key never changes its meaning, and
nothing that a user named ever becomes a path.
"""

import errno
import hashlib
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.errors import BadBlobKey, BlobMissing, BlobsUnavailable, StorageFull

_KEY = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{62}")
# What a process leaves behind that is killed while it writes a blob; older ones tried a place with a file, too.
_LEFTOVER = re.compile(r"([0-9a-f]{2}/\.|ping-)[0-9a-f]{32}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def blob_key(data: bytes) -> str:
    """The key of these bytes: `ab/ab12…`, the sha256 in hex under its first two digits."""
    digest = hashlib.sha256(data).hexdigest()
    return f"{digest[:2]}/{digest}"


class BlobStore:
    """A place for blobs: `file:///folder`, `s3://bucket/prefix`, or what else fsspec has a driver for."""

    def __init__(self, url: str) -> None:
        """Open the place at this fsspec URL; nothing is made or read yet."""
        self.url = url
        # Without a cache of listings: other processes add and delete.
        if url.startswith("file://"):  # a path as it is: fsspec would find other things than names in it
            self._fs, root = LocalFileSystem(), url.removeprefix("file://")
        else:
            self._fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        self._root = str(root).rstrip("/")
        self._local = isinstance(self._fs, LocalFileSystem)

    def put(self, data: bytes) -> str:
        """Keep these bytes and return their key; when it returns, they are wholly there, and on disk.

        Raises:
            StorageFull: there is no room for them.
            BlobsUnavailable: the place can't be written to.
        """
        key = blob_key(data)
        path = self._path(key)
        with self._reached():
            if self._fs.exists(path):
                return key
            if self._local:
                self._write_and_rename(path, data)
            else:
                # An object store shows an object only when all of it has arrived.
                self._fs.pipe_file(path, data)
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key; raises BlobMissing, BlobsUnavailable, or BadBlobKey for what can't be a key."""
        path = self._path(key)
        with self._reached():
            try:
                return bytes(self._fs.cat_file(path))
            except FileNotFoundError as error:
                raise BlobMissing(key, self.url) from error

    def exists(self, key: str) -> bool:
        """Whether the store holds this key; raises BadBlobKey, BlobsUnavailable."""
        path = self._path(key)
        with self._reached():
            return bool(self._fs.exists(path))

    def delete(self, key: str) -> None:
        """Forget a blob; fine when it is gone already. Raises BadBlobKey, BlobsUnavailable."""
        self._remove(self._path(key))

    def keys(self) -> dict[str, float]:
        """All keys that are there, and the age of each blob in seconds. Raises BlobsUnavailable."""
        return {name: age for name, age in self._files().items() if _KEY.fullmatch(name)}

    def leftovers(self, older_than: float) -> list[str]:
        """What killed processes left half-written, if it is so many seconds old."""
        return [name for name, age in self._files().items() if _LEFTOVER.fullmatch(name) and age > older_than]

    def remove_leftovers(self, older_than: float) -> int:
        """Remove such files; how many that were."""
        names = self.leftovers(older_than)
        for name in names:
            self._remove(f"{self._root}/{name}")
        return len(names)

    def ping(self) -> None:
        """Raise (mostly an OSError) unless the place is there and, where that can be told, writable. Writes nothing."""
        if not self._local:
            self._fs.invalidate_cache()
            self._fs.exists(f"{self._root}/nothing")
            return
        place = Path(self._root)
        while not place.exists() and place != place.parent:  # it is made with the first file
            place = place.parent
        if not place.is_dir():
            raise NotADirectoryError(f"{place} is no folder")
        if not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError(f"{place} may not be written")
        if os.statvfs(place).f_bavail == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))

    def _files(self) -> dict[str, float]:
        """Name → age in seconds of every file of the store."""
        with self._reached():
            try:
                found = self._fs.find(self._root, detail=True)
            except FileNotFoundError:
                return {}
        return {path[len(self._root) + 1 :]: _age(facts) for path, facts in found.items()}

    def _remove(self, path: str) -> None:
        with self._reached():
            try:
                self._fs.rm_file(path)
            except FileNotFoundError:
                return

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Whatever a driver raises means that the place can't be used now."""
        try:
            yield
        except BlobMissing:
            raise
        except Exception as error:
            full = isinstance(error, OSError) and error.errno in _FULL
            raise (StorageFull if full else BlobsUnavailable)(self.url, error) from error

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise BadBlobKey(key)
        return f"{self._root}/{key}"

    def _write_and_rename(self, path: str, data: bytes) -> None:
        folder = os.path.dirname(path)
        if not os.path.isdir(folder):
            os.makedirs(folder, exist_ok=True)
            _sync_folder(os.path.dirname(folder))
        # In the same folder, so that renaming stays within one file system, where it is atomic.
        temporary = f"{folder}/.{uuid4().hex}"
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            _sync_folder(folder)
        except BaseException:
            if os.path.exists(temporary):
                os.remove(temporary)
            raise


def _sync_folder(folder: str) -> None:
    """Have the name of a new file on disk too: else a power cut could leave its bytes without one."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _age(facts: dict[str, object]) -> float:
    """Seconds since a file was written, by what its driver says; 0 where it does not say."""
    written = facts.get("mtime") or facts.get("LastModified") or facts.get("created")
    if isinstance(written, datetime):
        written = written.timestamp()
    return max(0.0, time.time() - written) if isinstance(written, int | float) else 0.0
