"""How long work takes."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

T = TypeVar("T")

Report = Callable[[str, str], None]
"""Takes the name of a figure and its value."""

# The first calls compile, load and map what later ones find ready.
WARM_UP = 5


@dataclass(frozen=True)
class Times:
    """Milliseconds that different calls took."""

    p50: float
    p99: float
    calls: int

    def __str__(self) -> str:
        return f"p50 {_digits(self.p50)} ms, p99 {_digits(self.p99)} ms"


def timed(work: Callable[[T], object], inputs: Sequence[T]) -> Times:
    """Times of `work` for each input, one after the other."""
    for one in inputs[:WARM_UP]:
        work(one)
    # As web does when all is loaded.
    gc.collect()
    gc.freeze()
    times = []
    for one in inputs:
        started = time.perf_counter()
        work(one)
        times.append((time.perf_counter() - started) * 1000)
    p50, p99 = np.percentile(times, [50, 99]).tolist()
    return Times(p50, p99, len(times))


def _digits(milliseconds: float) -> str:
    if milliseconds < 10:
        return f"{milliseconds:.2f}"
    return f"{milliseconds:.1f}" if milliseconds < 100 else f"{milliseconds:,.0f}"
