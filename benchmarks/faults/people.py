"""People at work: they upload, correct and retrain without a pause, and go on whatever the server answers."""

import io
import random
import threading
from types import TracebackType
from typing import Self

import httpx
import numpy as np
from PIL import Image as Picture

from benchmarks.faults.ledger import Ledger

_WIDTH, _HEIGHT = 96, 64
# Seconds between two things that a person does, at most; and between two wishes for a run.
_PAUSE = 1.5
_RUN_PAUSE = 4.0


class People:
    """As a context: at work within it.

    Args:
        address: the server's, in each of which one of them works.
        ledger: where they write down what was acknowledged.
        count: how many.
    """

    def __init__(self, addresses: list[str], ledger: Ledger, count: int = 3) -> None:
        self._addresses, self._ledger = addresses, ledger
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(count)]
        self._threads.append(threading.Thread(target=self._retrain))

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    def _work(self, number: int) -> None:
        chance = random.Random(number)
        with httpx.Client(base_url=self._addresses[number % len(self._addresses)], timeout=30) as client:
            while not self._ending.wait(chance.uniform(0, _PAUSE)):
                try:
                    self._upload_and_correct(client, chance)
                except (httpx.TransportError, ValueError) as error:
                    self._ledger.refused(type(error).__name__)

    def _upload_and_correct(self, client: httpx.Client, chance: random.Random) -> None:
        data = _png(np.frombuffer(chance.randbytes(_WIDTH * _HEIGHT * 3), np.uint8).reshape(_HEIGHT, _WIDTH, 3))
        answer = client.post("/images", files=[("files", ("part.png", data))])
        if not self._accepted(answer):
            return
        image_id = answer.json()[0]["id"]
        self._ledger.uploaded(image_id, data)
        for _ in range(chance.randint(0, 2)):
            mask = np.zeros((_HEIGHT, _WIDTH), np.uint8)
            mask[: chance.randint(1, _HEIGHT), : chance.randint(1, _WIDTH)] = 255
            answer = client.put(f"/images/{image_id}/annotation", files={"mask": ("mask.png", _png(mask))})
            if self._accepted(answer):
                self._ledger.corrected(image_id, answer.json()["revision"], int(np.count_nonzero(mask)))

    def _accepted(self, answer: httpx.Response) -> bool:
        if answer.status_code == 201:
            return True
        self._ledger.refused(answer.json()["type"].rpartition(":")[2])
        return False

    def _retrain(self) -> None:
        with httpx.Client(base_url=self._addresses[0], timeout=30) as client:
            while not self._ending.wait(_RUN_PAUSE):
                try:
                    client.post("/runs", json={"epochs": 3})
                except httpx.TransportError:
                    continue


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Picture.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()
