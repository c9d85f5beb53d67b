"""Small pieces of work, one on each of torch's threads."""

import threading
from collections.abc import Iterator
from functools import partial

import pytest
import torch

from engine.learning.side_by_side import side_by_side


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_results_come_in_the_order_of_the_works_whichever_ends_first() -> None:
    second_is_done = threading.Event()

    def first() -> str:
        assert second_is_done.wait(20), "the second was not begun beside the first"
        return "first"

    def second() -> str:
        second_is_done.set()
        return "second"

    assert list(side_by_side([first, second])) == ["first", "second"]


def test_each_has_one_of_torchs_threads_and_afterwards_there_are_as_many_as_before() -> None:
    assert list(side_by_side([torch.get_num_threads] * 3)) == [1, 1, 1]
    assert torch.get_num_threads() == 2


def test_what_one_raises_is_raised_and_what_was_not_begun_is_left() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        raise ValueError(f"work {number}")

    with pytest.raises(ValueError, match="work 0"):
        list(side_by_side([partial(work, number) for number in range(1000)]))
    assert len(begun) < 1000
    assert torch.get_num_threads() == 2


def test_whoever_stops_listening_ends_it() -> None:
    begun: list[int] = []
    results = side_by_side([partial(begun.append, number) for number in range(100_000)])
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(begun) < 100_000
    assert torch.get_num_threads() == 2


def test_on_one_thread_they_run_one_after_another_in_the_callers_own() -> None:
    torch.set_num_threads(1)
    assert set(side_by_side([threading.get_ident] * 3)) == {threading.get_ident()}
