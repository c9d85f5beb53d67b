"""Content-addressed files over fsspec: a folder, or a bucket. Knows neither what they hold nor who refers to them.

A blob's key is made of the sha256 of its bytes, so the same bytes are kept once, a key never changes its meaning, and
nothing that a user named ever becomes a path.
"""

import hashlib
import os
import re
from uuid import uuid4

import fsspec
from fsspec.implementations.local import LocalFileSystem

from db.errors import BadBlobKey, BlobMissing

_KEY = re.compile(r"([0-9a-f]{2})/\1[0-9a-f]{62}")


def blob_key(data: bytes) -> str:
    """The key of these bytes: `ab/ab12…`, the sha256 in hex under its first two digits."""
    digest = hashlib.sha256(data).hexdigest()
    return f"{digest[:2]}/{digest}"


class BlobStore:
    """A place for blobs: `file:///folder`, `s3://bucket/prefix`, or what else fsspec has a driver for."""

    def __init__(self, url: str) -> None:
        """Open the place at this fsspec URL; nothing is made or read yet."""
        self.url = url
        self._fs, root = fsspec.core.url_to_fs(url)
        self._root = str(root).rstrip("/")
        self._local = isinstance(self._fs, LocalFileSystem)

    def put(self, data: bytes) -> str:
        """Keep these bytes and return their key; when it returns, they are wholly there, and on disk."""
        key = blob_key(data)
        path = self._path(key)
        if self._fs.exists(path):
            return key
        if self._local:
            self._write_and_rename(path, data)
        else:
            # An object store shows an object only when all of it has arrived.
            self._fs.pipe_file(path, data)
        return key

    def get(self, key: str) -> bytes:
        """The bytes of a key; raises BlobMissing, or BadBlobKey for what can't be a key."""
        try:
            return bytes(self._fs.cat_file(self._path(key)))
        except FileNotFoundError as error:
            raise BlobMissing(key, self.url) from error

    def exists(self, key: str) -> bool:
        """Whether the store holds this key; raises BadBlobKey."""
        return bool(self._fs.exists(self._path(key)))

    def delete(self, key: str) -> None:
        """Forget a blob; fine when it is gone already. Raises BadBlobKey."""
        try:
            self._fs.rm_file(self._path(key))
        except FileNotFoundError:
            return

    def ping(self) -> None:
        """Raise (mostly an OSError) unless a file can be written, read and removed."""
        path = f"{self._root}/ping-{uuid4().hex}"
        if self._local:
            self._fs.makedirs(self._root, exist_ok=True)
        self._fs.pipe_file(path, b"ping")
        self._fs.cat_file(path)
        self._fs.rm_file(path)

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise BadBlobKey(key)
        return f"{self._root}/{key}"

    def _write_and_rename(self, path: str, data: bytes) -> None:
        folder = os.path.dirname(path)
        os.makedirs(folder, exist_ok=True)
        # In the same folder, so that renaming stays within one file system, where it is atomic.
        temporary = f"{folder}/.{uuid4().hex}"
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            if os.path.exists(temporary):
                os.remove(temporary)
            raise
