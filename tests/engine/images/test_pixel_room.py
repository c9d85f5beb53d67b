"""Pictures that are decoded at once have so many pixels together, and none waits for ever."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.images.pixel_room import PixelRoom


def test_what_has_no_room_waits_and_what_is_larger_than_all_of_it_is_alone() -> None:
    room, lock, held, most = PixelRoom(100), threading.Lock(), [0], [0]

    def decode(pixels: int) -> None:
        with room.take(pixels):
            with lock:
                held[0] += min(pixels, 100)
                most[0] = max(most[0], held[0])
            with lock:
                held[0] -= min(pixels, 100)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(decode, [30, 60, 100, 500, 1, 40] * 50))
    assert held == [0] and 0 < most[0] <= 100


def test_room_comes_back_from_a_picture_that_is_damaged() -> None:
    room = PixelRoom(10)
    with pytest.raises(OSError), room.take(10):
        raise OSError
    with room.take(10):
        pass
