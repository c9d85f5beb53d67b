"""The embedded broker: messages arrive once and whole, and an old app's are thrown away."""

import threading
from pathlib import Path

from celery import Celery

from settings import get_settings
from workers import file_broker
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


def test_an_app_starts_on_an_empty_broker(configured: Path) -> None:
    make_app(get_settings()).send_task("workers.tasks.tune", [1])
    file_broker.clear(configured)
    assert not (configured / "broker").exists()
