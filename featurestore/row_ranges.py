"""Work over all rows of an index, shared among the processor's cores."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

# Scratch for so many rows stays in a core's cache, and starting a thread costs far less than
# the work on them.
ROWS_A_RANGE = 1 << 16


def for_row_ranges(
    count: int, work: Callable[[int, int], None], *, rows_a_range: int = ROWS_A_RANGE
) -> None:
    """Call `work(first, stop)` for ranges of rows that cover 0..count, each row in one of them.

    Where there are several ranges they go to several threads, so `work` should spend its time in
    compiled code, and write only to its own rows. What it raises is raised here.
    """
    firsts = range(0, count, rows_a_range)

    def work_from(first: int) -> None:
        work(first, min(first + rows_a_range, count))

    # Of two ranges the second would wait longer for its thread than for the first.
    threads = min(len(firsts) // 2, _cores())
    if threads <= 1:
        for first in firsts:
            work_from(first)
        return
    # Started anew each time: threads that outlive a call do not outlive a fork.
    with ThreadPoolExecutor(threads, "rows") as pool:
        for _ in pool.map(work_from, firsts):
            pass


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
