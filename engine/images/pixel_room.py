"""Room for pictures while they are decoded: however many come at once, memory has a bound."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class PixelRoom:
    """So many pixels may be decoded at the same time; what is larger than that waits until it is alone.

    Args:
        pixels: of all pictures together. Pillow takes up to 4 bytes for each.
    """

    def __init__(self, pixels: int) -> None:
        self._free = self._all = pixels
        self._changed = threading.Condition()

    @contextmanager
    def take(self, pixels: int) -> Iterator[None]:
        """Hold room for so many; waits until it is there. A thread that holds some must not take more."""
        wanted = min(pixels, self._all)
        with self._changed:
            self._changed.wait_for(lambda: self._free >= wanted)
            self._free -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()
