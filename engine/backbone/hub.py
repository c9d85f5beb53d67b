"""Files from a hub of Hugging Face's kind: looked up, fetched with progress, resumed, checked by their sum.

They lie in huggingface_hub's own cache under its own names, so that others find them there, and its settings count:
HF_ENDPOINT, HF_HOME, HF_TOKEN, HF_TOKEN_PATH, HF_HUB_OFFLINE, HTTPS_PROXY. Its own download starts from the first byte
again when it is called anew, and has no end to wait for: that one loop is ours.
"""

import errno
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlparse

import httpx2
from huggingface_hub import constants, get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import WeakFileLock, build_hf_headers, hf_raise_for_status, http_stream_backoff

from engine.errors import BackboneError

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
# Bytes between two looks at who wants it to end.
_CHUNK = 1 << 18
# Attempts to go on that bring no byte, and the pause before each, in seconds.
_ATTEMPTS, _PAUSE = 5, 1.0
_CUT = (httpx2.ConnectError, httpx2.TimeoutException, httpx2.RemoteProtocolError, httpx2.ReadError)


class FetchError(BackboneError):
    """A file could not be fetched; what was fetched of it is kept where it can be gone on with."""


class DiskFull(FetchError):
    """There is no room for it."""


@dataclass(frozen=True)
class Remote:
    """A file on the hub.

    Attributes:
        repo: `organisation/name`.
        file: its name in the repository.
        size: in bytes.
        etag: its sha256, or the sha1 of its git blob where it is small.
        location: where its bytes come from.
    """

    repo: str
    file: str
    size: int
    etag: str
    location: str

    @property
    def blob(self) -> Path:
        """Where the cache has its bytes."""
        folder = repo_folder_name(repo_id=self.repo, repo_type="model")
        return Path(constants.HF_HUB_CACHE) / folder / "blobs" / self.etag

    @property
    def part(self) -> Path:
        """Where the bytes of an unfinished download lie."""
        return self.blob.with_name(f"{self.etag}.incomplete")

    @property
    def missing(self) -> int:
        """Bytes that are still to be fetched."""
        if self.blob.exists():
            return 0
        return self.size - (self.part.stat().st_size if self.part.exists() else 0)


def cached(repo: str, files: Sequence[str]) -> Path | None:
    """The first of these files that lies in the cache, without asking anyone."""
    for file in files:
        found = try_to_load_from_cache(repo, file)
        if isinstance(found, str) and Path(found).exists():
            return Path(found)
    return None


def locate(repo: str, files: Sequence[str]) -> Remote:
    """Ask the hub for the first of these files that it has. Raises FetchError."""
    with _explained(repo):
        for file in files:
            try:
                found = get_hf_file_metadata(hf_hub_url(repo, file), headers=build_hf_headers())
            except EntryNotFoundError:
                continue
            if found.etag is None or found.size is None or found.commit_hash is None:
                raise FetchError(
                    f"{constants.ENDPOINT} answers for {repo} as no hub does (no sum, size or commit). "
                    "See what HF_ENDPOINT says, and whether a proxy changes answers."
                )
            return Remote(repo, file, found.size, found.etag, found.location)
    raise FetchError(f"The repository {repo} has none of the files {', '.join(files)}. It holds no model of open_clip.")


def fetch(remote: Remote, progress: Progress = lambda done, total: None) -> Path:
    """Bring a file into the cache; what an earlier attempt fetched is gone on with.

    Args:
        remote: which.
        progress: called with the bytes that are there and those that there are to be; what it raises ends the download,
            and what was fetched is kept.

    Returns:
        where it lies.

    Raises:
        FetchError: the hub is away, cuts off, or sends wrong bytes.
        DiskFull: there is no room.
    """
    folder = remote.blob.parent
    locks = Path(constants.HF_HUB_CACHE) / ".locks" / folder.parent.name
    with _explained(remote.repo):
        folder.mkdir(parents=True, exist_ok=True)
        locks.mkdir(parents=True, exist_ok=True)
        # As huggingface_hub does it: one process fetches, others wait.
        with WeakFileLock(locks / f"{remote.etag}.lock"):
            if not remote.blob.exists():
                _require_room(remote, folder)
                _download(remote, progress)
                _check(remote)
                os.replace(remote.part, remote.blob)
        progress(remote.size, remote.size)
        return Path(hf_hub_download(remote.repo, remote.file))  # the bytes are there: it gives them their name


def fetch_small(repo: str, file: str) -> Path:
    """A small file: from the cache where it is there, else from the hub. Raises FetchError."""
    found = cached(repo, (file,))
    if found is not None:
        return found
    return fetch(locate(repo, (file,)))


def _require_room(remote: Remote, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < remote.missing:
        raise DiskFull(
            f"{remote.repo} needs {remote.missing / 1e9:.1f} GB in {constants.HF_HUB_CACHE}, and {free / 1e9:.1f} GB "
            "are free. Make room, or name another folder in HF_HOME."
        )


def _download(remote: Remote, progress: Progress) -> None:
    attempts = _ATTEMPTS
    with remote.part.open("ab") as file:
        while file.tell() < remote.size:
            before = file.tell()
            try:
                _go_on(remote, file, progress)
            except _CUT as error:
                attempts = _ATTEMPTS if file.tell() > before else attempts - 1
                if attempts <= 0:
                    raise
                logger.info("The download of %s was cut off (%s); it goes on.", remote.repo, error)
                progress(file.tell(), remote.size)  # someone may have cancelled it while nothing came
                time.sleep(_PAUSE)
                continue
            if file.tell() <= before:  # an answer without bytes is no answer
                attempts -= 1
                if attempts <= 0:
                    raise FetchError(f"The hub sends nothing of {remote.file} of {remote.repo}. Try again later.")


def _go_on(remote: Remote, file: IO[bytes], progress: Progress) -> None:
    """Append what is missing, as far as it comes."""
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if urlparse(remote.location).netloc != urlparse(constants.ENDPOINT).netloc:
        headers.pop("authorization", None)  # a token is for the hub, not for where it keeps its files
    if file.tell():
        headers["Range"] = f"bytes={file.tell()}-"
    with http_stream_backoff(
        "GET",
        remote.location,
        headers=headers,
        timeout=constants.HF_HUB_DOWNLOAD_TIMEOUT,
        retry_on_exceptions=(),
        retry_on_status_codes=(408, 429),
        max_retries=1,
    ) as answer:
        hf_raise_for_status(answer)
        if answer.status_code != 206:  # it sends all of it, whatever was asked for
            file.seek(0)
            file.truncate()
        progress(file.tell(), remote.size)
        for chunk in answer.iter_bytes(_CHUNK):
            file.write(chunk)
            file.flush()
            progress(file.tell(), remote.size)


def _check(remote: Remote) -> None:
    """Raise FetchError where the bytes are not those that the hub has by this sum; they are thrown away."""
    part = remote.part
    if len(remote.etag) == hashlib.sha256().digest_size * 2:
        with part.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    elif len(remote.etag) == hashlib.sha1(usedforsecurity=False).digest_size * 2:
        found = git_blob(part.read_bytes())
    else:
        found = remote.etag  # a mirror that gives sums of its own kind: the size was all there is to check
    if found != remote.etag or part.stat().st_size != remote.size:
        size = part.stat().st_size
        part.unlink()
        raise FetchError(
            f"What the hub sent as {remote.file} of {remote.repo} is not that file: {size:,} bytes of {remote.size:,}, "
            f"sum {found[:12]}… in place of {remote.etag[:12]}…. It was thrown away. Try again; if it comes again, a "
            "proxy or mirror on the way changes it: see HTTPS_PROXY and HF_ENDPOINT."
        )


def git_blob(data: bytes) -> str:
    """The name that git gives a file of these bytes: sha1 of `blob <size>\\0` and them."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """What the hub's client raises, as a sentence with a way on."""
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise FetchError(
            f"{repo} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it. Unset it, or bring in the file."
        ) from error
    except GatedRepoError as error:
        raise FetchError(
            f"{repo} is given only to those who accepted its conditions. Accept them on {constants.ENDPOINT}/{repo}, "
            "and put your token into the file that HF_TOKEN_PATH names."
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        if isinstance(error, RepositoryNotFoundError) or status in (401, 403):
            raise FetchError(
                f"{constants.ENDPOINT} has no repository {repo}, or shows it only to those with a token. "
                "Check its name, and the file that HF_TOKEN_PATH names."
            ) from error
        raise FetchError(
            f"{constants.ENDPOINT} refuses {repo} (status {status}). Try again later; see HF_ENDPOINT."
        ) from error
    except (httpx2.HTTPError, ConnectionError) as error:
        raise FetchError(
            f"The hub {constants.ENDPOINT} can't be reached, or cut off ({type(error).__name__}: {error}). "
            "What was fetched is kept. Try again; see HTTPS_PROXY and HF_ENDPOINT, or bring in the file."
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(f"The disk of {constants.HF_HUB_CACHE} is full. Make room, then go on.") from error
        raise FetchError(
            f"{constants.HF_HUB_CACHE} can't be written ({error}). Name another folder in HF_HOME."
        ) from error
