"""How many messages wait in each of Celery's queues."""

from typing import Any

from kombu.exceptions import ChannelError

from workers.celery_app import QUEUES, celery_app

_ANSWER_SECONDS = 2.0


def queue_lengths() -> dict[str, int]:
    """Queue → messages that no worker has taken yet. Raises what the broker's driver raises where it is away."""
    with celery_app.connection_for_read(connect_timeout=_ANSWER_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, timeout=_ANSWER_SECONDS)
        return {name: _length(connection, name) for name in QUEUES}


def _length(connection: Any, name: str) -> int:
    try:
        with connection.channel() as channel:
            return channel.queue_declare(queue=name, passive=True).message_count
    except ChannelError:  # no worker has declared it yet
        return 0
