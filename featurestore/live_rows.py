"""Which of several rows of one image count: pure functions over arrays."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

IdsAndTimes = tuple[NDArray[np.int64], NDArray[np.int64]]
"""(n,) image ids, and (n,) when each was written in nanoseconds since 1970."""

NO_IDS = np.empty(0, np.int64)


def numbered_rows(
    parts: Iterable[IdsAndTimes],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """(n,) each, of all rows of some segments: image id, time, number of the segment, row in it."""
    ids, times = [NO_IDS], [NO_IDS]
    for part_ids, part_times in parts:
        ids.append(part_ids)
        times.append(part_times)
    counts = list(map(len, ids))
    return (
        np.concatenate(ids),
        np.concatenate(times),
        np.repeat(np.arange(-1, len(counts) - 1), counts),
        np.concatenate([*map(np.arange, counts)]),
    )


def held_rows(known: IdsAndTimes, rows: IdsAndTimes) -> NDArray[np.bool_]:
    """(n,) which of n rows are known, or newer ones of their images.

    Args:
        known: each image once, by rising id.
    """
    (known_ids, known_times), (ids, times) = known, rows
    held = contains(known_ids, ids)
    held[held] = known_times[np.searchsorted(known_ids, ids[held])] >= times[held]
    return held


def latest_rows(
    ids: NDArray[np.int64],
    deleted: NDArray[np.int64],
    written_at: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Rows to keep, by rising id: of each id the last written, of deleted ids none.

    Args:
        ids: (n,) in order of writing where `written_at` is not given.
        deleted: (d,) rising.
        written_at: (n,) nanoseconds; of equal ones the later row counts.
    """
    if len(ids) == 0:
        return np.empty(0, np.int64)
    order = np.lexsort((np.arange(len(ids)), ids if written_at is None else written_at, ids))
    is_last = np.append(np.diff(ids[order]) != 0, True)
    rows: NDArray[np.int64] = order[is_last]
    return rows[~contains(deleted, ids[rows])]


def contains(rising: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) which of n values are in a rising array."""
    if len(rising) == 0:
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(rising, values), len(rising) - 1)
    found: NDArray[np.bool_] = rising[places] == values
    return found


def places_of(rising: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """(k,) where in a rising array those of the values lie that it holds.

    Quick for few values, however long the array is.
    """
    return np.searchsorted(rising, values[contains(rising, values)])


def alive_rows(ids: NDArray[np.int64], *dead: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) which of n rising ids are in none of some arrays of ids."""
    alive = np.ones(len(ids), np.bool_)
    for values in dead:
        alive[places_of(ids, values)] = False
    return alive
