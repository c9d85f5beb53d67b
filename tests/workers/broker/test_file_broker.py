"""The embedded broker: messages arrive once and whole, and an old app's are thrown away."""

import contextlib
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from kombu import Connection, Exchange, Queue

from settings import get_settings
from workers.broker import file_broker
from workers.celery_app import make_app


def take_all(app: Celery, count: int) -> list[int]:
    """Take messages from the queue `tuning` while others still write them."""
    taken: list[int] = []
    with app.connection_for_read() as connection, connection.SimpleQueue("tuning") as queue:
        while len(taken) < count:
            message = queue.get(timeout=30)
            taken.append(message.payload[0][0])
            message.ack()
    return taken


def test_messages_of_many_writers_arrive_once_and_whole(configured: Path) -> None:
    app = make_app(get_settings())

    def send(first: int) -> None:
        for number in range(first, first + 25):
            app.send_task("workers.tasks.tune", [number])

    writers = [threading.Thread(target=send, args=(first,)) for first in (0, 100, 200)]
    for writer in writers:
        writer.start()
    taken = take_all(app, 75)
    for writer in writers:
        writer.join()
    assert sorted(taken) == sorted([*range(25), *range(100, 125), *range(200, 225)])
    assert list((configured / "broker" / "messages").iterdir()) == []


def test_a_message_in_writing_is_not_taken(configured: Path) -> None:
    app = make_app(get_settings())
    app.send_task("workers.tasks.tune", [1])
    folder = configured / "broker" / "messages"
    [message] = folder.iterdir()
    message.with_name("0.unfinished").write_text('{"body": ')
    assert take_all(app, 1) == [1]


@pytest.mark.parametrize("lost", ["broker", "broker/control", "broker/messages"])
def test_a_worker_whose_broker_was_deleted_hears_of_what_is_sent_afterwards(configured: Path, lost: str) -> None:
    app = make_app(get_settings())
    with app.connection_for_read() as connection, connection.channel() as channel:
        node = app.control.mailbox.Node("worker@here", channel=channel, handlers={"hello": lambda _: "you"})
        with node.listen(callback=lambda body, message: node.handle_message(body, message)), drained(connection):
            shutil.rmtree(configured / lost, ignore_errors=True)  # the worker may make it anew meanwhile
            answers = (app.control.broadcast("hello", reply=True, timeout=2, limit=1) for _ in range(10))
            assert [{"worker@here": "you"}] in answers


@contextlib.contextmanager
def drained(connection: Connection) -> Iterator[None]:
    """A thread hands out what comes to the connection's consumers meanwhile."""
    ending = threading.Event()

    def drain() -> None:
        while not ending.is_set():
            with contextlib.suppress(socket.timeout):
                connection.drain_events(timeout=0.2)

    thread = threading.Thread(target=drain)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def test_many_that_bind_at_once_are_all_bound(configured: Path) -> None:
    app = make_app(get_settings())

    def bind(number: int) -> None:
        with app.connection_for_write() as connection:
            Queue(f"queue{number}", Exchange("shared", "fanout"))(connection.channel()).declare()

    binders = [threading.Thread(target=bind, args=(number,)) for number in range(12)]
    for binder in binders:
        binder.start()
    for binder in binders:
        binder.join()
    table = json.loads((configured / "broker" / "control" / "shared.exchange").read_text())
    assert {queue for _, _, queue in table} == {f"queue{number}" for number in range(12)}


def test_an_app_starts_on_an_empty_broker(configured: Path) -> None:
    make_app(get_settings()).send_task("workers.tasks.tune", [1])
    file_broker.clear(configured)
    assert not (configured / "broker").exists()
