"""Looking waits for nobody: not for a writer that holds the lock, and /healthz not for threads either."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from anyio import to_thread
from httpx import Client
from sqlalchemy import text, update

from db.tables.accounts import ApiToken, SignIn
from db.tables.base import utc_now
from tests.conftest import Installation
from tests.pictures import png
from tests.webapp.people import People
from webapp.access.events import event_name
from webapp.access.notes import written

HELD_SECONDS = 5.0
LOOKS = [
    "/", "/config", "/api/v1/images", "/api/v1/images/1", "/api/v1/images/1/thumbnail", "/api/v1/projects",
    "/api/v1/me", "/api/v1/runs", "/api/v1/prompts", "/api/v1/threshold", "/api/v1/export?format=csv",
    "/healthz", "/readyz",
]  # fmt: skip
EVENTS = [
    "webapp.page.layout._header", "webapp.page.train._show", "webapp.page.settings._read",
    "webapp.page.settings._operations",
]  # fmt: skip


@contextmanager
def lock_held(installation: Installation) -> Iterator[None]:
    """Meanwhile another writer has the database's lock."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with installation.store.session() as session:
            session.execute(text("SELECT 1"))
            held.set()
            over.wait(HELD_SECONDS)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    yield
    assert thread.is_alive(), f"what looked took longer than the {HELD_SECONDS:g} s for which the lock was held"
    over.set()
    thread.join()


def make_old(installation: Installation) -> None:
    """So that each look would write that someone was here."""
    with installation.store.session() as session:
        session.execute(update(SignIn).values(expires_at=utc_now() + timedelta(minutes=5)))
        session.execute(update(ApiToken).values(last_used_at=utc_now() - timedelta(days=1)))


@pytest.fixture(scope="module")
def numbers(shared: Installation) -> dict[str, int]:
    from webapp.page.layout import build_page

    return {event_name(one.fn): number for number, one in build_page().fns.items() if one.fn is not None}


def look(client: Client, numbers: dict[str, int]) -> None:
    for path in LOOKS:
        assert client.get(path).status_code in (200, 503), path
    for event in EVENTS:
        body = {"data": [None], "fn_index": numbers[event], "session_hash": "a page"}
        assert client.post("/gradio_api/run/predict", json=body).status_code == 200, event


@pytest.mark.parametrize("who", ["viewer", "token"])
def test_looking_never_takes_the_write_lock(who: str, numbers: dict[str, int], page_people: People) -> None:
    page_people.clients["annotator"].post("/api/v1/images", files={"files": ("a.png", png())})
    look(page_people.clients[who], numbers)  # what is made once is there
    written()
    make_old(page_people.installation)
    with lock_held(page_people.installation):
        look(page_people.clients[who], numbers)
    written()
    with page_people.installation.store.session(read_only=True) as session:
        if who == "viewer":
            assert any(one.expires_at > utc_now() + timedelta(hours=1) for one in session.query(SignIn))
        else:
            assert all(one.last_used_at > utc_now() - timedelta(hours=1) for one in session.query(ApiToken))


def test_healthz_answers_whatever_the_threads_do(page_people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    async def busy(*_: object, **__: object) -> None:
        raise AssertionError("a thread was asked for")

    monkeypatch.setattr(to_thread, "run_sync", busy)
    started = time.perf_counter()
    assert page_people.clients["viewer"].get("/healthz").status_code == 200
    assert time.perf_counter() - started < 5
