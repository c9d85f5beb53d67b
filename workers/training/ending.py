"""The end of a run: what it kept to go on from goes with it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from db.store import Store
from db.training.runs import get_run


@contextmanager
def ending(store: Store, run_id: int) -> Iterator[Session]:
    """A writing session in which a run may end; if it does, its checkpoint's file is deleted afterwards."""
    with store.session() as session:
        key = get_run(session, run_id).checkpoint_blob_key
        yield session
        over = get_run(session, run_id).checkpoint_blob_key is None
    if key is not None and over:
        store.delete_blobs([key])
