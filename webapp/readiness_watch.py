"""What this process finds when it looks at itself now and then: all that strangers are told of /readyz.

By its looks it is also known how a worker is, when someone asks who can't wait for one
(`workers.operations.readiness`).
"""

import threading
from dataclasses import dataclass
from typing import Any

from db.store import Store
from workers.operations.readiness import Component, engine_in_use, readiness

_LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Found:
    """What was found at one moment."""

    components: list[Component]
    backbone: dict[str, Any]


class ReadinessWatch:
    """A thread that looks now and then."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._found: Found | None = None

    def start(self, store: Store) -> None:
        """Begin to look; returns at once."""
        self._stopping = threading.Event()
        threading.Thread(target=self._run, args=(store, self._stopping), name="readiness", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        self._found = None

    def look(self, store: Store) -> Found:
        """Look now, and remember."""
        self._found = found = self._look(store)
        return found

    def _look(self, store: Store) -> Found:
        return Found(readiness(store), engine_in_use())

    def found(self) -> Found:
        """What was found last; asks nobody."""
        return self._found or Found([Component("server", False, "It has just started.")], {"state": "unknown"})

    def _run(self, store: Store, stopping: threading.Event) -> None:
        while not stopping.is_set():
            found = self._look(store)
            if not stopping.is_set():
                self._found = found
            stopping.wait(_LOOK_SECONDS)


watch = ReadinessWatch()
