"""A worker's hold on the images of a batch: renewed from a thread of its own, and let go at the end of the batch."""

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from db.images.claims import claim_images, drop_claims, held_by, renew_claims
from db.store import Store
from settings import get_settings
from workers.training.lease import worker_name

logger = logging.getLogger(__name__)


@contextmanager
def claimed(store: Store, image_ids: Sequence[int], limit: int) -> Iterator[list[int]]:
    """The first `limit` of these images that wait for a score and that no other worker has; nobody else scores them.

    Those that have no score at the end are free again.
    """
    lease, worker = timedelta(seconds=get_settings().lease_seconds), worker_name()
    mine = _claim(store, image_ids, limit, worker, lease)
    if not mine:
        yield mine
        return
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(store, worker, lease, ended), name="claims", daemon=True)
    renewing.start()
    try:
        yield mine
    finally:
        ended.set()
        renewing.join()
        _let_go(store, worker, mine)


def _claim(store: Store, image_ids: Sequence[int], limit: int, worker: str, lease: timedelta) -> list[int]:
    """In one short transaction; where others have the first ones, the next ones."""
    mine: list[int] = []
    rest = list(image_ids)
    with store.session() as session:
        while rest and len(mine) < limit:
            some, rest = rest[: limit - len(mine)], rest[limit - len(mine) :]
            mine += claim_images(session, some, worker, lease)
    return mine


def _renew(store: Store, worker: str, lease: timedelta, ended: threading.Event) -> None:
    while not ended.wait(lease.total_seconds() / 3):
        try:
            with store.session() as session:
                renew_claims(session, worker, lease)
        except Exception:  # the database may be away for a moment; the next time tries again
            logger.warning("A claim of images could not be renewed.", exc_info=True)


def _let_go(store: Store, worker: str, mine: Sequence[int]) -> None:
    """Mostly there is nothing left: claims end with the predictions, in their transaction."""
    try:
        with store.session(read_only=True) as session:
            left = held_by(session, worker, mine)
        if left:
            with store.session() as session:
                drop_claims(session, worker, left)
    except Exception:
        logger.warning("A claim of images stays until it runs out.", exc_info=True)
