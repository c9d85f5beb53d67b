"""How much a user may send in a minute, counted in each process of the page by itself."""

import threading
import time
from collections import defaultdict, deque

from settings import Settings
from webapp.access.callers import Caller

_MINUTE = 60.0


class TooFast(Exception):
    """A user sent too much within a minute; `seconds` from now there is room again."""

    def __init__(self, what: str, limit: str, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(
            f"You sent more than {limit} within a minute. Nothing of this request was kept: wait {seconds} seconds and "
            f"send it again. An admin can raise ANOMALYLOOP_{what}."
        )


class RateLimit:
    """What each user sent in the last minute."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent: defaultdict[str, deque[tuple[float, int, int]]] = defaultdict(deque)

    def take(self, caller: Caller, settings: Settings, *, files: int, size: int) -> None:
        """Count files of so many bytes together; without accounts, nothing is counted.

        A request that is larger than a whole minute's share passes when nothing else was sent.

        Raises:
            TooFast: it is more than the user may send now.
        """
        if caller.via == "local":
            return
        now = time.monotonic()
        with self._lock:
            sent = self._sent[caller.name]
            while sent and now - sent[0][0] > _MINUTE:
                sent.popleft()
            if sent:
                wait = max(1, round(_MINUTE - (now - sent[0][0])))
                if files + sum(one[1] for one in sent) > settings.max_minute_files:
                    raise TooFast("MAX_MINUTE_FILES", f"{settings.max_minute_files} files", wait)
                if size + sum(one[2] for one in sent) > settings.max_minute_mb * 1e6:
                    raise TooFast("MAX_MINUTE_MB", f"{settings.max_minute_mb:g} MB", wait)
            sent.append((now, files, size))

    def add(self, caller: Caller, *, files: int, size: int) -> None:
        """Count what turned out to have come beyond what was said before."""
        if caller.via != "local":
            with self._lock:
                self._sent[caller.name].append((time.monotonic(), files, size))


rate_limit = RateLimit()
