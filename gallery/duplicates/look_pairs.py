"""Photos whose looks are nearly equal: every such pair; most others are ruled out cheaply."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from featurestore.live_rows import contains
from gallery.groups.clustering import Vectors

# Distances that are held at a time.
CELLS = 8_000_000
# Looks are kept as float16, and lengths are sums of rounded numbers.
ROUNDING = 2e-3


def near_in_reduced(
    vectors: Vectors, is_new: NDArray[np.bool_], rows: NDArray[np.int64], cosine: float, most: int
) -> NDArray[np.int64]:
    """(p, 2) pairs that may have looks of such a cosine, none left out but beyond the nearest.

    A projection onto orthonormal axes brings nothing further apart, so whatever is too far apart
    in `vectors` is too far apart in full: |x - y|² = 2 - 2 cos(x, y).

    Args:
        vectors: (n, d) reduced looks.
        is_new: (n,) which were not compared yet; two that are not new make no pair.
        rows: (m,) the new ones to compare now.
        cosine: the least.
        most: pairs that a row makes with those before it and with old ones: the nearest.
    """
    limit = 2 - 2 * cosine + ROUNDING
    lengths = (vectors**2).sum(axis=1)
    step = max(1, CELLS // max(1, len(vectors)))
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        # Where all are new, none is compared with those behind it.
        stop = int(some.max()) + 1 if is_new.all() else len(vectors)
        nearness = (2 * vectors[some]) @ vectors[:stop].T
        nearness -= lengths[:stop]
        places, others = np.nonzero(nearness >= (lengths[some] - limit)[:, None])
        wanted = ~is_new[others] | (others < some[places])
        places, others = places[wanted], others[wanted]
        order = np.lexsort((-nearness[places, others], places))
        places, others = places[order], others[order]
        first = np.searchsorted(places, places)
        nearest = np.arange(len(places)) - first < most
        found.append(np.stack([others[nearest], some[places[nearest]]], axis=1))
    return np.concatenate(found)


def near_by_whole_looks(
    looks: Iterable[tuple[NDArray[np.int64], Vectors]],
    new_ids: NDArray[np.int64],
    new: Vectors,
    cosine: float,
    most: int,
) -> NDArray[np.int64]:
    """(p, 2) pairs of ids of a new photo with another of such a cosine, its nearest so many.

    For few new photos: all others are gone through once, and none is kept in memory.

    Args:
        looks: ids and unit rows of all photos, the new ones among them, some at a time.
        new_ids: (m,) rising
        new: (m, 1280) unit rows of the new photos.
    """
    others, own = np.empty(0, np.int64), np.empty(0, np.int64)
    near = np.empty(0, np.float32)
    for ids, units in looks:
        nearness = units @ new.T
        rows, columns = np.nonzero(nearness >= cosine)
        # Of two new ones the later makes the pair.
        wanted = ~contains(new_ids, ids[rows]) | (ids[rows] < new_ids[columns])
        rows, columns = rows[wanted], columns[wanted]
        others = np.concatenate([others, ids[rows]])
        own = np.concatenate([own, new_ids[columns]])
        near = np.concatenate([near, nearness[rows, columns]])
        # At once, because to white pages all other white pages are near.
        order = np.lexsort((-near, own))
        rising = own[order]
        nearest = order[np.arange(len(own)) - np.searchsorted(rising, rising) < most]
        others, own, near = others[nearest], own[nearest], near[nearest]
    return np.stack([others, own], axis=1)


def cosines(units: Vectors, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """(p,) of (p, 2) pairs of rows of length 1."""
    found: NDArray[np.float32] = np.einsum("ij,ij->i", units[pairs[:, 0]], units[pairs[:, 1]])
    return found
