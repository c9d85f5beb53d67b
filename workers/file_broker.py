"""The embedded broker: Kombu's filesystem transport, with messages that appear whole or not at all.

Kombu writes a message in the place where consumers look for it, so that a consumer can read the half of it and die.
Here it is written beside and renamed.
"""

import os
import shutil
import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps

URL = "embedded://localhost"


class Channel(filesystem.Channel):
    """A channel over a folder of message files, made where missing."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        for folder in (self.data_folder_in, self.control_folder):
            Path(folder).mkdir(parents=True, exist_ok=True)

    # Kombu's own classes disagree on the name of the second parameter.
    def _put(self, queue: str, payload: Any, **_: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        # Consumers take names of the form <time>_<id>.<queue>.msg, oldest first, and pass over all others.
        identity = uuid.uuid4()
        unfinished = folder / f"{identity}.unfinished"
        unfinished.write_bytes(str_to_bytes(dumps(payload)))
        os.replace(unfinished, folder / f"{round(monotonic() * 1000)}_{identity}.{queue}.msg")


class Transport(filesystem.Transport):
    """What `embedded://` means to Kombu once this module is imported."""

    Channel = Channel


TRANSPORT_ALIASES["embedded"] = "workers.file_broker:Transport"


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
