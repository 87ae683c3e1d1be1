from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from gallery.components import Once


def test_threads_that_call_at_once_get_the_same_thing() -> None:
    made = []
    everybody = threading.Barrier(8)

    @Once
    def slow() -> object:
        time.sleep(0.05)
        made.append(object())
        return made[-1]

    def call(_: int) -> object:
        everybody.wait()
        return slow()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(call, range(8))) == set(made)
    assert len(made) == 1


def test_what_could_not_be_made_is_tried_again() -> None:
    tries = iter([None, "made"])

    @Once
    def second_time() -> str:
        made = next(tries)
        if made is None:
            raise OSError
        return made

    with contextlib.suppress(OSError):
        second_time()
    assert second_time() == "made"


def test_it_is_made_anew_after_it_was_cleared() -> None:
    made = Once(object)
    first = made()
    made.cache_clear()
    assert made() is not first
