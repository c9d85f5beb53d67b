"""Trouble of the machine (a GPU that fails, memory that is short, a hub that is away), told from that of an image.

The machine's passes: what it kept from being done waits, and is tried again after growing pauses. It is never written
on an image. An image is at fault only where the model works for another picture, and not for this one, several times.
"""

import math
import threading
import time
from collections.abc import Callable

_FIRST_SECONDS, _LONGEST_SECONDS = 1.0, 60.0
# Seconds from one failure of a single image to the next try; after the last one it is the image that is at fault.
_IMAGE_PAUSES = (2.0, 10.0, 30.0)


class EngineTrouble(Exception):
    """The model can't work now; what was asked of it waits."""


class Pauses:
    """Pauses that grow from failure to failure, up to a longest one, and end with a success."""

    def __init__(self, first: float = _FIRST_SECONDS, longest: float = _LONGEST_SECONDS) -> None:
        self._first, self._longest = first, longest
        self._lock = threading.Lock()
        self._failures, self._until = 0, -math.inf
        self.reason = ""

    def fail(self, reason: str) -> float:
        """Note a failure; returns the seconds to wait."""
        with self._lock:
            seconds = min(self._longest, self._first * 2**self._failures)
            self._failures = min(self._failures + 1, 30)
            self._until, self.reason = time.monotonic() + seconds, reason
            return seconds

    def succeed(self) -> None:
        """All is well again."""
        with self._lock:
            self._failures, self._until, self.reason = 0, -math.inf, ""

    @property
    def left(self) -> float:
        """Seconds until the next try; 0: now."""
        return max(0.0, self._until - time.monotonic())


class Trouble:
    """What this process knows of its model's trouble, and of images that failed alone."""

    def __init__(self) -> None:
        self.pauses = Pauses()
        self._lock = threading.Lock()
        self._failures: dict[int, tuple[int, float]] = {}  # image id → failures, and when it is tried again

    def require_calm(self) -> None:
        """Raise EngineTrouble while the model rests from its last trouble."""
        if self.pauses.left:
            raise EngineTrouble(self.pauses.reason)

    def of_machine(self, error: Exception) -> EngineTrouble:
        """The machine failed: an error to raise, and the pause until the next try begins."""
        words = " ".join(str(error).split())[:300]
        reason = f"The model can't score now ({type(error).__name__}: {words}). Images wait, and are tried again."
        self.pauses.fail(reason)
        return EngineTrouble(reason)

    def passed(self) -> None:
        """The model works."""
        if self.pauses.reason:
            self.pauses.succeed()

    def is_images_own(self, image_id: int, error: Exception, works: Callable[[], object]) -> bool:
        """Whether it is this image that can't be scored, after a failure with it alone.

        Args:
            image_id: which one.
            error: what went wrong.
            works: does the same with another picture, and raises where the machine is in trouble.

        Raises:
            EngineTrouble: it is the machine.
        """
        try:
            works()
        except Exception:
            raise self.of_machine(error) from error
        with self._lock:
            failures = self._failures.get(image_id, (0, 0.0))[0]
            if failures == len(_IMAGE_PAUSES):
                del self._failures[image_id]
                return True
            self._failures[image_id] = (failures + 1, time.monotonic() + _IMAGE_PAUSES[failures])
            return False

    def resting(self) -> set[int]:
        """Images that failed alone and are not tried again yet."""
        now = time.monotonic()
        with self._lock:
            return {image_id for image_id, (_, again) in self._failures.items() if again > now}

    def forget(self, image_id: int) -> None:
        """The image was scored."""
        if self._failures:
            with self._lock:
                self._failures.pop(image_id, None)
