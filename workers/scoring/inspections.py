"""Inspections that someone waits for: a bounded number at a time, done here or by a Celery worker within a deadline.

Embedded: in the page's process, by its engine. With ANOMALYLOOP_BROKER_URL: the bytes go to the store and the request
into a row; a message of the queue `scoring` rings, and a worker writes the answer into the row. A message that is lost
or late costs the caller a 503, and nobody else anything: what nobody waits for any more is not done.
"""

import logging
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from db.images.inspections import add_inspection, answer_inspection, begin_inspection, forget_inspections, take_answer
from db.images.part_facts import PartFacts
from db.store import Store
from settings import get_settings
from workers.broker import dispatch
from workers.errors import ImageError, NotFound, NotReady, Overloaded
from workers.scoring.inspecting import Wanted, inspect

logger = logging.getLogger(__name__)

# Seconds between two looks for an answer: short at first, for a worker that is idle.
_FIRST_LOOK, _LAST_LOOK = 0.01, 0.05
_lock = threading.Lock()
_in_hand = 0


@contextmanager
def taking(count: int) -> Iterator[None]:
    """Room for so many images at once. Raises Overloaded, at once, where there is none."""
    global _in_hand
    limit = get_settings().inspect_at_once
    with _lock:
        if _in_hand + count > limit:
            raise Overloaded(_in_hand, limit)
        _in_hand += count
    try:
        yield
    finally:
        with _lock:
            _in_hand -= count


def inspect_all(store: Store, images: Sequence[tuple[Wanted, bytes]]) -> list[dict[str, Any]]:
    """The answer of each image, or `{"file_name", "error"}` where the file can't be used as an image.

    Raises:
        Overloaded: too many are in hand already.
        NotReady: no worker answered in time, or the model still loads.
        BackboneError, EngineTrouble, PromptError, NotFound: see `workers.scoring.inspecting.inspect`.
    """
    with taking(len(images)):
        if get_settings().embedded_broker:
            return [_inspect_here(store, wanted, data) for wanted, data in images]
        return _inspect_elsewhere(store, images)


def _inspect_here(store: Store, wanted: Wanted, data: bytes) -> dict[str, Any]:
    try:
        return inspect(store, wanted, data)
    except ImageError as error:
        return {"file_name": wanted.file_name, "error": str(error)}


def _inspect_elsewhere(store: Store, images: Sequence[tuple[Wanted, bytes]]) -> list[dict[str, Any]]:
    deadline = time.monotonic() + get_settings().inspect_seconds
    began = time.perf_counter()
    asked = [_ask(store, wanted, data) for wanted, data in images]
    try:
        answers = [_wait(store, inspection_id, deadline) for inspection_id, _ in asked]
    finally:
        with store.session() as session:
            forget_inspections(session, [inspection_id for inspection_id, _ in asked])
        store.delete_blobs([key for _, key in asked])  # those that no image names
    milliseconds = round(1000 * (time.perf_counter() - began) / len(images), 1)
    return [{**one, "milliseconds": milliseconds} if "error" not in one else one for one in answers]


def _ask(store: Store, wanted: Wanted, data: bytes) -> tuple[str, str]:
    """Put it where a worker finds it; returns the inspection's id and the key of the bytes."""
    inspection_id, key = uuid.uuid4().hex, store.blobs.put(data)
    when = wanted.facts.captured_at
    request = {**asdict(wanted), "facts": {**asdict(wanted.facts), "captured_at": when and when.isoformat()}}
    with store.clearing_up([key]), store.session() as session:
        store.keep_until_named(session, data)
        add_inspection(session, inspection_id, key, request, timedelta(seconds=get_settings().inspect_seconds))
    dispatch.request_inspection(inspection_id)
    return inspection_id, key


def _wait(store: Store, inspection_id: str, deadline: float) -> dict[str, Any]:
    look = _FIRST_LOOK
    while True:
        with store.session(read_only=True) as session:
            answer = take_answer(session, inspection_id)
        if answer is not None:
            break
        if time.monotonic() > deadline:
            raise NotReady(
                f"No worker of the queue scoring answered within {get_settings().inspect_seconds:g} s. Nothing was "
                "kept. Try again in a moment; where it stays so, start another worker."
            )
        time.sleep(look)
        look = min(_LAST_LOOK, 1.3 * look)
    if "wait" in answer:
        raise NotReady(answer["wait"])
    return answer


def carry_out(store: Store, inspection_id: str) -> None:
    """A worker's part: answer an inspection, unless nobody waits for it any more."""
    with store.session() as session:
        found = begin_inspection(session, inspection_id)
    if found is None:
        return
    given = dict(found.request)
    facts = given.pop("facts")
    when = facts["captured_at"]
    facts |= {"captured_at": when and datetime.fromisoformat(when), "tags": tuple(facts["tags"])}
    wanted = replace(Wanted(**given, facts=PartFacts()), facts=PartFacts(**facts))
    try:
        answer = _inspect_here(store, wanted, store.blobs.get(found.blob_key))
    except NotFound as error:
        answer = {"file_name": wanted.file_name, "error": str(error)}
    except Exception as error:
        logger.error("Inspection %s could not be answered.", inspection_id, exc_info=error)
        answer = {"wait": str(error) or type(error).__name__}
    with store.session() as session:
        answer_inspection(session, inspection_id, answer)
