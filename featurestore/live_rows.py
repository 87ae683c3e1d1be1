"""Which of several rows of one image count: pure functions over arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
