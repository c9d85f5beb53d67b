"""Blobs in an S3 bucket: a real S3 interface over HTTP, served by moto in a process of its own."""

import subprocess
import sys
import uuid
from collections.abc import Iterator

import boto3
import pytest
from s3fs import S3FileSystem

from benchmarks.faults.servers import answers
from db.blobs import BlobStore, blob_key
from db.errors import BlobMissing, BlobsUnavailable
from tests.db.making import at_once
from tests.running import free_port, wait_until


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: answers(port), "the bucket's server answers")
    yield url
    server.kill()
    server.wait()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty bucket, with what a service has in its environment."""
    name = f"anomalyloop-{uuid.uuid4().hex}"
    given = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1"}
    for variable, value in {**given, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(variable, value)
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}/blobs"


def test_a_blob_lives_from_put_to_delete(bucket: str) -> None:
    blobs = BlobStore(bucket)
    blobs.ping()
    key = blobs.put(b"crack")
    assert key == blob_key(b"crack") and blobs.get(key) == b"crack" and blobs.put(b"crack") == key
    assert list(blobs.keys()) == [key] and 0 <= blobs.keys()[key] < 3600
    blobs.delete(key)
    blobs.delete(key)
    assert not blobs.exists(key) and blobs.keys() == {}
    with pytest.raises(BlobMissing, match=bucket):
        blobs.get(key)


def test_what_others_put_and_delete_is_seen_at_once(bucket: str) -> None:
    blobs = BlobStore(bucket)
    key = blob_key(b"crack")
    assert not blobs.exists(key) and blobs.keys() == {}
    there = {"Bucket": bucket.split("/")[2], "Key": f"blobs/{key}"}
    boto3.client("s3").put_object(Body=b"crack", **there)
    assert blobs.exists(key) and blobs.get(key) == b"crack" and list(blobs.keys()) == [key]
    boto3.client("s3").delete_object(**there)
    assert not blobs.exists(key) and blobs.keys() == {}


def test_many_at_once(bucket: str) -> None:
    blobs = BlobStore(bucket)
    keys = at_once(8, lambda number: blobs.put(b"image %d" % (number % 4)))
    assert len(set(keys)) == 4 and set(blobs.keys()) == set(keys)


def test_a_bucket_that_is_away_is_not_an_empty_one(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    S3FileSystem.clear_instance_cache()
    away = BlobStore(bucket)
    with pytest.raises(BlobsUnavailable):
        away.get(blob_key(b"crack"))
    S3FileSystem.clear_instance_cache()
