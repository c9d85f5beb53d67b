"""Small pieces of work that don't need each other, one on each of torch's threads.

What a run does is thousands of operations that take less than a millisecond. Shared between threads, each spends its
time on waiting for the others; a thread of its own for every piece keeps all cores at work.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

T = TypeVar("T")


def side_by_side(works: Sequence[Callable[[], T]]) -> Iterator[T]:
    """What each gives, in their order; what one raises is raised when its turn comes, and what isn't begun yet is left.

    They may share nothing that one of them changes, a random generator among it.
    """
    threads = torch.get_num_threads()
    if threads == 1 or len(works) == 1:
        yield from (work() for work in works)
        return
    torch.set_num_threads(1)  # also of the libraries that have one number for all threads
    pool = ThreadPoolExecutor(min(threads, len(works)), "learning", initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield from pool.map(_call, works)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)


def _call(work: Callable[[], T]) -> T:
    return work()
