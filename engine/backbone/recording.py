"""A GPU's work on a batch as one recorded launch (a CUDA graph): its thousand small kernels start without Python."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Work = Callable[[Tensor], tuple[Tensor, ...]]
# Batch sizes that are recorded; others are filled up to the next, so that little is computed for nothing.
SIZES = (1, 2, 4, 8, 12, 16, 24, 32)
_WARM_UPS = 2
# Each size and shape of images is recorded by itself, and takes memory for good: those that come first, so many.
_MOST = 4 * len(SIZES)


class RecordedWork:
    """`work`, recorded at the first batch of each size and replayed at the others; for one thread at a time.

    Recordings share their memory: what a call returns is overwritten by the next call.

    Args:
        work: (B, …) on a GPU → tensors (B, …), rows independent of each other, the same kernels for the same B.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._recordings: dict[tuple[int, ...], _Recording] = {}
        self._memory = torch.cuda.graph_pool_handle()

    def __call__(self, batch: Tensor) -> tuple[Tensor, ...]:
        """The work's results for the batch (B, …); one larger than any recording goes as it is."""
        size = next((size for size in SIZES if size >= len(batch)), None)
        if size is None:
            return self._work(batch)
        shape = (size, *batch.shape[1:])
        if shape not in self._recordings:
            if len(self._recordings) >= _MOST:
                return self._work(batch)
            self._recordings[shape] = self._record(batch.new_zeros(shape))
        return self._recordings[shape].replay(batch)

    def _record(self, batch: Tensor) -> "_Recording":
        current, beside = torch.cuda.current_stream(batch.device), torch.cuda.Stream(batch.device)
        beside.wait_stream(current)
        with torch.cuda.stream(beside):  # kernels are chosen, compiled and loaded before: none of it can be recorded
            for _ in range(_WARM_UPS):
                self._work(batch)
        current.wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        # Other threads may go on with the GPU meanwhile.
        with torch.cuda.graph(graph, pool=self._memory, stream=beside, capture_error_mode="thread_local"):
            results = self._work(batch)
        return _Recording(graph, batch, results)


@dataclass(frozen=True)
class _Recording:
    graph: torch.cuda.CUDAGraph
    batch: Tensor
    results: tuple[Tensor, ...]

    def replay(self, batch: Tensor) -> tuple[Tensor, ...]:
        self.batch[: len(batch)].copy_(batch)
        self.graph.replay()
        return tuple(result[: len(batch)] for result in self.results)
