"""Calls of several threads go together, and each gets its own."""

import threading
import time

import pytest
import torch

from engine.features.image_features import ImageFeatures
from engine.serving.batching import MicroBatcher
from tests.engine.conftest import picture


class Model:
    """Gives each image's first value as its feature; stops in its first batch until it is let go."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.busy, self.go_on = threading.Event(), threading.Event()

    def __call__(self, images: torch.Tensor) -> list[ImageFeatures]:
        self.batches.append(len(images))
        self.busy.set()
        assert self.go_on.wait(10)
        if (images < 0).any():
            raise ValueError("a negative image")
        return [ImageFeatures(image[0, 0, :1], image[:, 0]) for image in images]


class Clients:
    """Threads that each bring some images; the first one alone, until the model is busy with it."""

    def __init__(self, model: Model, limit: int) -> None:
        self.model, self.batcher = model, MicroBatcher(model, limit)
        self.found: dict[int, list[float] | str] = {}
        self.threads: list[threading.Thread] = []

    def bring(self, first: int, count: int = 1, width: int = 2) -> None:
        images = torch.arange(first, first + count).float()[:, None, None, None].expand(-1, 3, 2, width)
        thread = threading.Thread(target=self._call, args=(first, images))
        thread.start()
        self.threads.append(thread)
        waiting = len(self.threads) - 1
        assert self.model.busy.wait(10)
        while len(self.batcher._waiting) < waiting:
            time.sleep(0.001)

    def _call(self, first: int, images: torch.Tensor) -> None:
        try:
            self.found[first] = [float(one.global_feature) for one in self.batcher(images)]
        except ValueError as error:
            self.found[first] = str(error)

    def end(self) -> None:
        self.model.go_on.set()
        for thread in self.threads:
            thread.join(10)


@pytest.fixture
def model():
    return Model()


def test_calls_that_come_while_the_model_is_busy_go_together_in_the_next_batch(model):
    clients = Clients(model, limit=8)
    for first in (10, 20, 30, 40):
        clients.bring(first)
    clients.end()
    assert model.batches == [1, 3]
    assert clients.found == {10: [10], 20: [20], 30: [30], 40: [40]}


def test_the_limit_holds_and_calls_stay_whole(model):
    clients = Clients(model, limit=4)
    for first, count in ((10, 1), (20, 3), (30, 2), (40, 2), (50, 6)):
        clients.bring(first, count)
    clients.end()
    assert model.batches == [1, 3, 4, 6]
    assert clients.found[30] == [30, 31] and clients.found[50] == [50, 51, 52, 53, 54, 55]


def test_images_of_other_shapes_wait_for_a_batch_of_their_own(model):
    clients = Clients(model, limit=8)
    for first, width in ((10, 2), (20, 2), (30, 5), (40, 5), (50, 2)):
        clients.bring(first, width=width)
    clients.end()
    assert model.batches == [1, 1, 2, 1]  # in the order in which they came
    assert clients.found == {first: [first] for first in (10, 20, 30, 40, 50)}


def test_a_call_that_fails_fails_alone(model):
    clients = Clients(model, limit=8)
    for first in (10, -5, 30):
        clients.bring(first)
    clients.end()
    assert clients.found == {10: [10], -5: "a negative image", 30: [30]}


def test_an_engine_asked_by_many_threads_gives_each_its_own_features(engine):
    widths = (90, 200)
    alone = {seed: engine.encode([picture(seed, widths[seed % 2])])[0] for seed in range(6)}
    together: dict[int, ImageFeatures] = {}

    def ask(seed: int) -> None:
        together[seed] = engine.encode([picture(seed, widths[seed % 2])])[0]

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed, features in alone.items():
        assert together[seed].grid == features.grid
        torch.testing.assert_close(together[seed].patch_features, features.patch_features, rtol=0, atol=1e-3)
