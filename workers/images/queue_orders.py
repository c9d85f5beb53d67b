"""Bringing queues in the order of another threshold, some images at a time: others write in between."""

import time

from db.images.queue_orders import order_more, unordered_projects
from db.store import Store


def order_queues(store: Store) -> None:
    """Order what is not in order yet, of every project; what another process does meanwhile is not done twice."""
    with store.session(read_only=True) as session:
        project_ids = unordered_projects(session)
    for project_id in project_ids:
        while _order_some(store, project_id):
            pass


def _order_some(store: Store, project_id: int) -> bool:
    began = time.perf_counter()
    with store.session() as session:
        is_more = order_more(session, project_id)
    if is_more:
        time.sleep(time.perf_counter() - began)  # as long as it held up others: a SQLite file has one writer at a time
    return is_more
