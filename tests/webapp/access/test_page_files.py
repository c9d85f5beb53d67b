"""An event of the page names only files that its own user uploaded, whatever component the value is for."""

import io
import os
import threading
import time
import zipfile
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx import Client, Response

from settings import get_settings
from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.access.test_rules import happened
from tests.webapp.people import People
from tests.webapp.rest import assert_problem
from webapp.access.events import event_name
from webapp.access.rate_limit import rate_limit
from webapp.page.uploads import sweep, uploads_folder

IMPORT, PROMPTS, SETTINGS = "webapp.page.exchange._import", "webapp.page.train._import", "webapp.page.settings._save"


@pytest.fixture(scope="module")
def numbers(shared: Installation) -> dict[str, int]:
    """Each event of the page, and its number in Gradio's queue."""
    from webapp.page.layout import build_page

    return {event_name(one.fn): number for number, one in build_page().fns.items() if one.fn is not None}


@pytest.fixture(scope="module")
def outside(shared: Installation) -> dict[str, Path]:
    """What lies on the server and was not uploaded: files that an import would take, and what never ends."""
    folder = shared.home / "outside"
    folder.mkdir()
    with zipfile.ZipFile(folder / "labels.zip", "w") as packed:
        packed.writestr("normal/a.png", png())
    (folder / "labels.json").write_text('{"images": []}')
    (folder / "image.png").write_bytes(png())
    os.mkfifo(folder / "pipe.zip")
    names = ("labels.zip", "labels.json", "image.png", "pipe.zip")
    found = {name: folder / name for name in names} | {"device": Path("/dev/zero"), "folder": folder}
    return found | {"database": shared.home / "anomalyloop.db", "none": folder / "none.zip"}


def file_of(path: object, **more: object) -> dict[str, object]:
    return {"path": str(path), "orig_name": "a.zip", "meta": {"_type": "gradio.FileData"}, **more}


def caused(client: Client, number: int, data: list[Any], way: str = "queue/join", **more: object) -> Response:
    """Cause an event; its own answer."""
    return client.post(
        f"/gradio_api/{way}", json={"data": data, "fn_index": number, "session_hash": "a page", **more}, timeout=20
    )


def assert_refused(answer: Response) -> None:
    assert_problem(answer, 403, "foreign-file", "did not upload")


def uploaded(client: Client, name: str = "labels.zip") -> str:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        packed.writestr("normal/one.png", png(7))
    answer = client.post("/gradio_api/upload", files={"files": (name, data.getvalue(), "application/zip")})
    assert answer.status_code == 200, answer.text
    return answer.json()[0]


@contextmanager
def answering(client: Client) -> Iterator[None]:
    """Meanwhile /healthz answers: at once, but a busy machine is slow."""
    over = threading.Event()
    times: list[float] = []

    def ask() -> None:
        with Client(base_url=client.base_url, timeout=60) as asking:
            while not times or not over.is_set():
                started = time.perf_counter()
                assert asking.get("/healthz").status_code == 200
                times.append(time.perf_counter() - started)

    thread = threading.Thread(target=ask)
    thread.start()
    yield
    over.set()
    thread.join()
    assert times and max(times) < 5, max(times)


WHAT = ["labels.zip", "labels.json", "image.png", "pipe.zip", "device", "folder", "database", "none"]


@pytest.mark.parametrize("who", ["viewer", "annotator", "admin", "token"])
@pytest.mark.parametrize("what", WHAT)
def test_no_event_takes_a_file_of_the_server(
    what: str, who: str, numbers: dict[str, int], outside: dict[str, Path], page_people: People
) -> None:
    client, path = page_people.clients[who], outside[what]
    kept = path.stat().st_size if path.is_file() else None
    with answering(client):
        for way in ("queue/join", "run/predict", "run/predict/"):
            for value in (file_of(path), file_of(path, is_stream=True), file_of(f"/tmp/..{path}")):
                assert_refused(caused(client, numbers[IMPORT], [[value], False], way))
                assert_refused(caused(client, numbers[PROMPTS], [value, None], way))
                assert_refused(caused(client, numbers[SETTINGS], [0.5, 0.5, value, 1, 1], way))  # of a checkbox
                assert_refused(caused(client, numbers[IMPORT], [[], {"value": [{"a": value}]}], way))
                assert_refused(caused(client, numbers[IMPORT], [[], False], way, event_data={"of": value}))
    assert path.stat().st_size == kept if kept is not None else True


def test_a_path_without_the_mark_of_a_file_is_refused_too(numbers: dict[str, int], page_people: People) -> None:
    for value in (
        {"path": "/etc/passwd"},
        {"path": None, "url": "http://127.0.0.1:1/a.zip"},
        {"path": ["/etc/passwd"]},
    ):
        assert_refused(caused(page_people.clients["annotator"], numbers[IMPORT], [[value], False]))


def test_an_address_elsewhere_is_no_upload(numbers: dict[str, int], page_people: People) -> None:
    for address in ("http://127.0.0.1:1/a.zip", "https://example.org/a.zip", "file:///etc/passwd"):
        assert_refused(caused(page_people.clients["annotator"], numbers[IMPORT], [[file_of(address)], False]))


def test_another_users_upload_is_refused_and_stays(numbers: dict[str, int], page_people: People) -> None:
    path = uploaded(page_people.clients["admin"])
    assert_refused(caused(page_people.clients["annotator"], numbers[IMPORT], [[file_of(path)], False]))
    assert Path(path).exists()


def test_the_same_file_of_two_users_is_two_files(numbers: dict[str, int], page_people: People) -> None:
    paths = [uploaded(page_people.clients[who]) for who in ("admin", "annotator")]
    assert paths[0] != paths[1]
    said = happened(page_people, "annotator", numbers[IMPORT], [[file_of(paths[1])], False])
    assert "import-summary" in said, said
    assert [Path(path).exists() for path in paths] == [True, False]
    assert_refused(caused(page_people.clients["annotator"], numbers[IMPORT], [[file_of(paths[1])], False]))


def test_a_link_in_the_place_of_an_upload_is_refused(
    numbers: dict[str, int], outside: dict[str, Path], page_people: People
) -> None:
    path = Path(uploaded(page_people.clients["annotator"]))
    assert_refused(caused(page_people.clients["annotator"], numbers[IMPORT], [[file_of(path.parent / "b.zip")], False]))
    path.unlink()
    path.symlink_to(outside["labels.zip"])
    assert_refused(caused(page_people.clients["annotator"], numbers[IMPORT], [[file_of(path)], False]))
    assert outside["labels.zip"].exists()


def test_a_project_that_is_named_in_the_address_is_said_as_text(numbers: dict[str, int], page_people: People) -> None:
    name = "<img src=x onerror=alert(1)>"
    body = {"data": [None], "fn_index": numbers["webapp.page.train._show"], "session_hash": "a page"}
    answer = page_people.clients["viewer"].post("/gradio_api/run/predict", params={"project": name}, json=body)
    assert "&lt;img src=x onerror=alert(1)&gt;" in answer.text and "<img" not in answer.text


def test_uploads_to_the_page_count_as_those_over_rest(page_people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    client, settings = page_people.clients["annotator"], get_settings()
    monkeypatch.setattr(rate_limit, "_sent", defaultdict(deque))
    monkeypatch.setattr(settings, "max_minute_files", 4)
    for _ in range(2):
        answer = client.post("/gradio_api/upload", files=[("files", (f"{n}.png", b"x")) for n in range(2)])
        assert answer.status_code == 200
    refused = client.post("/gradio_api/upload", files={"files": ("a.png", b"x")})
    assert_problem(refused, 429, "too-fast", "within a minute")
    assert_problem(client.post("/api/v1/images", files={"files": ("a.png", png())}), 429, "too-fast")
    monkeypatch.setattr(settings, "max_minute_files", 1000)
    monkeypatch.setattr(settings, "max_minute_mb", 0.001)
    assert client.post("/gradio_api/upload", files={"files": ("a.png", b"x" * 2000)}).status_code == 429


def test_an_upload_that_nothing_takes_is_deleted(page_people: People) -> None:
    path, folder = Path(uploaded(page_people.clients["annotator"])), uploads_folder(get_settings())
    (folder / "tmp1234").write_text("left by Gradio")
    assert path.is_relative_to(folder) and folder.stat().st_mode & 0o777 == 0o700
    assert sweep(folder, 3600) == 0 and path.exists()
    assert sweep(folder, -1) >= 2 and not any(folder.iterdir())


def test_uploads_lie_where_no_other_user_of_the_machine_looks(page_people: People) -> None:
    path = Path(uploaded(page_people.clients["annotator"]))
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 100_000, b'{"data": ' + b"[" * 60 + b"]" * 60 + b"}", "é".encode("latin-1")]
)
def test_what_is_no_event_is_said_as_such(body: bytes, page_people: People) -> None:
    headers = {"content-type": "application/json"}
    answer = page_people.clients["viewer"].post("/gradio_api/queue/join", content=body, headers=headers)
    assert_problem(answer, 422, "unusable-event", "JSON")


def test_an_event_that_grows_without_end_is_cut(page_people: People) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(200):
            yield b"[" + b" " * 100_000

    answer = page_people.clients["viewer"].post("/gradio_api/queue/join", content=endless())
    assert_problem(answer, 413, "unusable-event", "1 MB")


def test_a_payload_of_many_values_holds_up_nobody(numbers: dict[str, int], page_people: People) -> None:
    client = page_people.clients["viewer"]
    for data in ([[]] * 200_000, [1] * 300_000, [{}] * 200_000):
        with answering(client):
            assert_problem(caused(client, numbers[SETTINGS], list(data)), 422, "unusable-event", "too many values")
