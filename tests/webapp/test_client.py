"""The client module: the whole loop through it, against the real server; and what it does when that is away."""

import io
import signal
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.pictures import mask_png, png
from tests.running import RunningApp, wait_until
from webapp.client import Client, Problem, verify_webhook
from workers.webhooks.headers import sign


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, tiny_backbone: str) -> Iterator[RunningApp]:
    app = RunningApp(tmp_path_factory.mktemp("client") / "home", tiny_backbone)
    yield app
    app.end()


@pytest.fixture
def client(app: RunningApp) -> Iterator[Client]:
    with Client(str(app.client.base_url)) as client:
        yield client


def test_the_whole_loop(app: RunningApp, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "part.png"
    file.write_bytes(png(0))
    uploads = client.upload(file, *[(f"{seed}.png", png(seed)) for seed in range(1, 4)], ("bad.png", b"no image"))
    assert [("id" in one, "error" in one) for one in uploads] == [(True, False)] * 4 + [(False, True)]
    ids = [one["id"] for one in uploads[:4]]
    for image_id in ids:
        assert 0 <= (client.scored(image_id)["score"] or -1) <= 1
    assert np.load(io.BytesIO(client.map(ids[0]))).shape == (70, 90)
    assert client.correct(ids[0], mask_png(), seen=0)["revision"] == 1
    assert client.mask(ids[0]).startswith(b"\x89PNG")
    with pytest.raises(Problem) as refused:
        client.mark_normal(ids[0], seen=0)
    assert (refused.value.kind, refused.value.document["current_revision"]) == ("conflict", 1)
    client.correct(ids[1], mask_png())
    client.mark_normal(ids[2])
    wait_until(app.ready, "ready")
    run = client.finished(client.start_run(epochs=2)["id"])
    assert run["state"] == "succeeded", run["error"]
    client.export(tmp_path / "it.zip", "csv")
    assert zipfile.is_zipfile(tmp_path / "it.zip")
    client.delete(ids[3])
    assert [one["id"] for one in client.images(limit=2, order="newest")] == ids[2::-1]


def test_an_inspection_is_one_call(app: RunningApp, client: Client) -> None:
    wait_until(app.ready, "ready")
    [found] = client.inspect(("one.png", png(40)), map=True, px_per_mm=2.0, part="A-17", tags=["left", "wet"])
    assert found["kept"] and found["map_png"] and found["px_per_mm"] == 2.0
    assert (found["part"], found["tags"]) == ("A-17", ["left", "wet"])
    assert client.image(found["id"] or 0)["score"] == found["score"]


def test_a_problem_is_a_sentence_with_its_kind(client: Client) -> None:
    with pytest.raises(Problem, match="no image 99") as refused:
        client.image(99)
    assert (refused.value.status, refused.value.kind) == (404, "not-found")


def test_an_upload_outlives_a_server_that_ends_and_is_done_once(tmp_path: Path, tiny_backbone: str) -> None:
    first = RunningApp(tmp_path / "home", tiny_backbone)
    port = httpx.URL(str(first.client.base_url)).port
    first.end(signal.SIGKILL)
    outcome: list = []
    with Client(f"http://127.0.0.1:{port}", patience=100) as client:
        thread = threading.Thread(target=lambda: outcome.extend(client.upload(("0.png", png()))))
        thread.start()
        again = RunningApp(tmp_path / "home", tiny_backbone, port=port)
        thread.join()
        assert [one["duplicate"] for one in outcome] == [False]
    again.end()


def test_who_is_patient_for_no_time_is_told_at_once() -> None:
    with Client("http://127.0.0.1:9", patience=0) as client, pytest.raises(httpx.TransportError):
        client.image(1)


@pytest.mark.parametrize(
    ("change", "valid"),
    [({}, True), ({"secret": "other"}, False), ({"body": b"{}"}, False), ({"at": -600}, False), ({"raw": "x"}, False)],
)
def test_a_message_is_the_servers_own_only_with_its_signature(change: dict, valid: bool) -> None:

    body = b'{"event": "run.finished"}'
    signature = change.get("raw") or sign("secret", body, int(time.time()) + change.get("at", 0))
    assert verify_webhook(change.get("secret", "secret"), signature, change.get("body", body)) is valid
