"""Calls from several threads joined into batches, so that many people at once keep the device as busy as one batch."""

import threading
from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

from engine.features.image_features import ImageFeatures


class _Call:
    def __init__(self, images: Tensor) -> None:
        self.images = images
        self.features: list[ImageFeatures] | None = None
        self.failure: Exception | None = None

    @property
    def done(self) -> bool:
        return self.features is not None or self.failure is not None


class MicroBatcher:
    """One batch at a time goes through the model; calls that come meanwhile go together in the next, first come first.

    Nobody waits for company: on an idle device a call starts at once. So a call waits for the batch in hand, and for
    those that came before it, at most.

    Args:
        run: images (B, 3, h, w) → features, one each.
        limit: images in a batch that calls are joined into. A call that brings more goes as it is.
    """

    def __init__(self, run: Callable[[Tensor], list[ImageFeatures]], limit: int) -> None:
        self._run, self._limit = run, limit
        self._waiting: deque[_Call] = deque()
        self._queue = threading.Lock()
        self._device = threading.Lock()

    def __call__(self, images: Tensor) -> list[ImageFeatures]:
        """Features of the images (B, 3, h, w), one each. Raises what `run` raises for them."""
        call = _Call(images)
        with self._queue:
            self._waiting.append(call)
        with self._device:
            while not call.done:  # unless another thread, while it had the device, took this call along
                self._carry_out(self._next())
        if call.failure is not None:
            raise call.failure
        return call.features or []

    def _next(self) -> list[_Call]:
        """The calls that waited longest, up to the limit."""
        with self._queue:
            calls = [self._waiting.popleft()]
            count = len(calls[0].images)
            while self._waiting and self._fits(calls[0].images, self._waiting[0].images, count):
                calls.append(self._waiting.popleft())
                count += len(calls[-1].images)
        return calls

    def _fits(self, first: Tensor, other: Tensor, count: int) -> bool:
        """Whether images can go with those of a call, of which there are `count` already: only of the same size."""
        return first.shape[1:] == other.shape[1:] and count + len(other) <= self._limit

    def _carry_out(self, calls: list[_Call]) -> None:
        try:
            features = self._run(torch.cat([call.images for call in calls]))
        except Exception as error:
            if len(calls) == 1:
                calls[0].failure = error
            else:  # one call's images must not fail another's
                for call in calls:
                    self._carry_out([call])
            return
        for call in calls:
            call.features, features = features[: len(call.images)], features[len(call.images) :]
