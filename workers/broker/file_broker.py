"""The embedded broker: Kombu's filesystem transport, with messages that appear whole or not at all.

Kombu writes a message in the place where consumers look for it, so that a consumer can read the half of it and die,
and the list of the queues that an exchange leads to is empty for a moment. Here both are written beside and renamed.
Kombu also takes it for granted that these files stay: a worker whose broker was deleted would wait for ever, because
nothing leads to its queues any more. Here it notices, and makes them anew.
"""

import os
import shutil
import uuid
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.transport.filesystem import LOCK_EX, exchange_queue_t, lock
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps

URL = "embedded://localhost"


class Channel(filesystem.Channel):
    """A channel over a folder of message files, made where missing."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._make_folders()

    def _make_folders(self) -> None:
        for folder in (self.data_folder_in, self.control_folder):
            Path(folder).mkdir(parents=True, exist_ok=True)

    # Kombu's own classes disagree on the name of the second parameter.
    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        self._make_folders()
        # Consumers take names of the form <time>_<id>.<queue>.msg, oldest first, and pass over all others.
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, payload)

    def _get(self, queue: str, timeout: Any = None) -> Any:
        """The next message of a queue. Raises `queue.Empty`."""
        try:
            self._bind_again(queue)
            return super()._get(queue)  # which waits for nothing
        except FileNotFoundError:  # of a broker that was deleted, or is just being so
            self._make_folders()
            raise Empty from None

    def _bind_again(self, queue: str) -> None:
        """Make what leads to the queue, where it has been lost."""
        for bound, exchange, routing_key in tuple(self.state.queue_index.get(queue, ())):
            if not self._exchange_file(exchange).exists():
                self._queue_bind(exchange, *self.typeof(exchange).prepare_bind(bound, exchange, routing_key, None))

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        self._make_folders()
        file = self._exchange_file(exchange)
        with file.with_suffix(".lock").open("w") as guard:
            lock(guard, LOCK_EX)  # until it is closed
            table = self.get_table(exchange)
            binding = exchange_queue_t(routing_key or "", pattern or "", queue or "")
            if binding not in table:
                _write_whole(file, [binding, *table])


def _write_whole(file: Path, content: Any) -> None:
    unfinished = file.with_name(f"{uuid.uuid4()}.unfinished")
    unfinished.write_bytes(str_to_bytes(dumps(content)))
    os.replace(unfinished, file)


class Transport(filesystem.Transport):
    """What `embedded://` means to Kombu once this module is imported."""

    Channel = Channel


TRANSPORT_ALIASES["embedded"] = "workers.broker.file_broker:Transport"


def clear(home: Path) -> None:
    """Throw away what an earlier app left in its broker; the database knows what is still to be done."""
    shutil.rmtree(home.resolve() / "broker", ignore_errors=True)


def transport_options(home: Path) -> dict[str, object]:
    """The broker's folders below a data folder, and how often consumers look (seconds)."""
    broker = home.resolve() / "broker"
    return {
        "data_folder_in": str(broker / "messages"),
        "data_folder_out": str(broker / "messages"),
        "control_folder": str(broker / "control"),
        "polling_interval": 0.2,
    }
