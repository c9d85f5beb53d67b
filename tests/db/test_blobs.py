"""Blobs: named by their content, there wholly or not at all, and out of reach of what users write."""

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from db.blobs import BlobStore, blob_key
from db.errors import BadBlobKey, BlobMissing, BlobsUnavailable, StorageFull
from tests.db.making import ROOT, at_once, in_processes

PUT_SAME = "import sys; from db.blobs import BlobStore; print(BlobStore(sys.argv[1]).put(b'x' * 5_000_000))"
# Writes 3 MB where files may not grow beyond 1 MB: the kernel kills it in the middle.
PUT_AND_DIE = """
import resource, signal, sys
from db.blobs import BlobStore
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
BlobStore(sys.argv[1]).put(b"x" * 3_000_000)
"""
# As on a disk that is full: the kernel refuses what goes beyond 1 MB.
PUT_WITHOUT_ROOM = """
import resource, sys
from db.blobs import BlobStore
from db.errors import StorageFull
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    BlobStore(sys.argv[1]).put(b"x" * 3_000_000)
except StorageFull as error:
    print(type(error).__name__)
"""


@pytest.fixture(params=["folder", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    """A store in a folder, and one in what fsspec treats like a bucket."""
    where = f"file://{tmp_path / 'blobs'}" if request.param == "folder" else f"memory://{tmp_path}"
    return BlobStore(where)


def test_what_is_put_comes_back(blobs: BlobStore) -> None:
    for data in (b"", b"\x00\xff" * 1000, "Ünïcode".encode()):
        assert blobs.get(blobs.put(data)) == data


def test_the_key_is_the_sha256(blobs: BlobStore) -> None:
    digest = hashlib.sha256(b"crack").hexdigest()
    assert blobs.put(b"crack") == blob_key(b"crack") == f"{digest[:2]}/{digest}"


def test_putting_twice_keeps_one(blobs: BlobStore) -> None:
    assert blobs.put(b"crack") == blobs.put(b"crack")
    assert blobs.put(b"dent") != blobs.put(b"crack")


def test_a_blob_exists_from_put_to_delete(blobs: BlobStore) -> None:
    key = blob_key(b"crack")
    assert not blobs.exists(key)
    blobs.put(b"crack")
    assert blobs.exists(key)
    blobs.delete(key)
    assert not blobs.exists(key)
    blobs.delete(key)  # gone already: fine


def test_a_missing_blob_is_named_with_the_place_it_should_be_in(blobs: BlobStore) -> None:
    key = blob_key(b"never put")
    with pytest.raises(BlobMissing) as error:
        blobs.get(key)
    assert key in str(error.value)
    assert blobs.url in str(error.value)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "../../etc/passwd",
        "/etc/passwd",
        "ab/../../../etc/passwd",
        "ab/" + "ab" + "0" * 61,  # too short
        "ab/" + "cd" + "0" * 62,  # in the wrong folder
        "AB/" + "AB" + "0" * 62,
        "ab/" + "ab" + "0" * 62 + "\n",
        "file:///etc/passwd",
        "photo.png",
    ],
)
def test_nothing_but_a_key_reaches_the_files(blobs: BlobStore, key: str) -> None:
    for use in (blobs.get, blobs.exists, blobs.delete):
        with pytest.raises(BadBlobKey):
            use(key)


def test_threads_that_put_the_same_bytes_keep_one_file(tmp_path: Path) -> None:
    blobs = BlobStore(f"file://{tmp_path}")
    key = blob_key(b"x" * 5_000_000)
    assert at_once(8, lambda _: blobs.put(b"x" * 5_000_000)) == [key] * 8
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [tmp_path / key]


def test_processes_that_put_the_same_bytes_keep_one_file(tmp_path: Path) -> None:
    keys = {line.strip() for line in in_processes(3, PUT_SAME, f"file://{tmp_path}")}
    assert keys == {blob_key(b"x" * 5_000_000)}
    assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == 1


def test_a_writer_that_dies_in_the_middle_leaves_no_half_blob(tmp_path: Path) -> None:
    blobs, data = BlobStore(f"file://{tmp_path}"), b"x" * 3_000_000
    died = subprocess.run([sys.executable, "-c", PUT_AND_DIE, blobs.url], cwd=ROOT, check=False)
    assert died.returncode == -signal.SIGXFSZ
    assert [file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()] == [1_000_000]
    assert not blobs.exists(blob_key(data))
    assert blobs.get(blobs.put(data)) == data


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    blobs = BlobStore(f"file://{tmp_path}")
    key = blob_key(b"crack")
    (tmp_path / key[:2]).write_bytes(b"a file where the folder should be")
    with pytest.raises(BlobsUnavailable, match="not saved"):
        blobs.put(b"crack")
    assert [file.name for file in tmp_path.rglob("*")] == [key[:2]]


def test_ping_leaves_nothing_behind(tmp_path: Path) -> None:
    BlobStore(f"file://{tmp_path / 'new'}").ping()
    assert list(tmp_path.iterdir()) == []


def test_ping_says_that_the_place_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        BlobStore(f"file://{tmp_path / 'file'}").ping()


def test_ping_raises_when_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"a file where the folder should be")
    with pytest.raises(OSError):
        BlobStore(f"file://{tmp_path / 'blobs'}").ping()


def test_a_place_that_can_not_be_used_says_nothing_of_what_lies_in_it(tmp_path: Path) -> None:
    blobs = BlobStore(f"file://{tmp_path / 'blobs'}")
    key = blobs.put(b"crack")
    (tmp_path / "blobs").rename(tmp_path / "away")
    (tmp_path / "blobs").write_text("a file where the folder should be")
    for use in (lambda: blobs.get(key), lambda: blobs.put(b"dent")):
        with pytest.raises(BlobsUnavailable):
            use()
    (tmp_path / "blobs").unlink()
    (tmp_path / "away").rename(tmp_path / "blobs")
    assert blobs.get(key) == b"crack"


def test_no_room_is_named_and_leaves_no_half_of_a_file(tmp_path: Path) -> None:
    written = subprocess.run(
        [sys.executable, "-c", PUT_WITHOUT_ROOM, f"file://{tmp_path}"], cwd=ROOT, capture_output=True, text=True
    )
    assert written.stdout.strip() == StorageFull.__name__, written.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_keys_are_told_with_their_age_and_leftovers_apart(blobs: BlobStore) -> None:
    key = blobs.put(b"crack")
    blobs._fs.pipe_file(f"{blobs._root}/{key[:2]}/.{'0' * 32}", b"half of a")
    assert blobs.keys().keys() == {key} and 0 <= blobs.keys()[key] < 60
    assert blobs.leftovers(older_than=60) == []
    assert blobs.remove_leftovers(older_than=-1) == 1
    assert blobs.keys().keys() == {key} and blobs.leftovers(older_than=-1) == []
