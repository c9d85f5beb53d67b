"""Small things that are written down because someone looked: beside the answer, so that looking waits for no writer."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy.exc import SQLAlchemyError

logger = logging.getLogger(__name__)

_writer = ThreadPoolExecutor(1, thread_name_prefix="notes")
_lock = threading.Lock()
_waiting: dict[object, Future[None]] = {}


def write_later(what: object, write: Callable[[], None]) -> None:
    """Write soon, unless the same is about to be written; what fails is written at the next look."""
    with _lock:
        if what not in _waiting:
            _waiting[what] = _writer.submit(_write, what, write)


def written() -> None:
    """Wait until all of it is written; for tests."""
    with _lock:
        waiting = list(_waiting.values())
    for one in waiting:
        one.result()


def _write(what: object, write: Callable[[], None]) -> None:
    try:
        write()
    except SQLAlchemyError as error:
        logger.warning("It could not be written that someone was here: %s", error)
    finally:
        with _lock:
            _waiting.pop(what, None)
