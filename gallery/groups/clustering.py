"""k-means over looks that were reduced to a few dimensions: pure functions of arrays.

scipy's k-means, because scipy is there already: the same formula as any other, it takes centres to
start from, and on a sample its speed does not matter.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

FEWEST_PHOTOS = 8
"""Fewer can be seen at a glance."""
MOST_GROUPS = 60
ROUNDS = 15
CHUNK = 8192


def group_count(photos: int) -> int:
    """How many groups so many photos make: √n / 2, but 2 to 60, which people can look through."""
    return int(np.clip(round(photos**0.5 / 2), 2, MOST_GROUPS))


def unit_rows(embedding: NDArray[np.float16]) -> Vectors:
    """Rows as (n, d) float32 of length 1; rows of zeros stay."""
    rows = embedding.astype(np.float32)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return rows


class Scatter:
    """How rows of d dimensions lie, added up some at a time, so that few are in memory."""

    def __init__(self, dimensions: int) -> None:
        self._rows = 0
        self._sum = np.zeros(dimensions)
        self._products = np.zeros((dimensions, dimensions))

    def add(self, rows: Vectors) -> None:
        """(n, d)"""
        self._rows += len(rows)
        self._sum += rows.sum(axis=0, dtype=np.float64)
        self._products += rows.T @ rows

    def principal_axes(self, dimensions: int) -> tuple[Vectors, Vectors]:
        """(d,) mean and (d, k) orthonormal axes along which the rows differ most."""
        mean = self._sum / max(1, self._rows)
        _, axes = np.linalg.eigh(self._products - self._rows * np.outer(mean, mean))
        most = np.ascontiguousarray(axes[:, ::-1][:, :dimensions], np.float32)
        return mean.astype(np.float32), most


def more_centres(vectors: Vectors, centres: Vectors, count: int, seed: int = 0) -> Vectors:
    """(count, d) centres: those given and rows far from all others (k-means++).

    Arthur and Vassilvitskii: k-means++: the advantages of careful seeding (2007).
    """
    rng = np.random.default_rng(seed)
    found = list(centres) or [vectors[rng.integers(len(vectors))]]
    left = np.min([((vectors - centre) ** 2).sum(axis=1) for centre in found], axis=0)
    while len(found) < count and left.sum() > 0:
        found.append(vectors[rng.choice(len(vectors), p=left / left.sum(dtype=np.float64))])
        left = np.minimum(left, ((vectors - found[-1]) ** 2).sum(axis=1))
    return np.array(found, np.float32)


def moved_centres(vectors: Vectors, centres: Vectors) -> Vectors:
    """(k, d) centres once they are the means of the (n, d) rows nearest to them.

    Each stays the same centre by its place; one without rows stays where it was.
    """
    # A quarter of a second of a processor, which only a worker that makes groups is to pay.
    from scipy.cluster.vq import kmeans2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        moved, _ = kmeans2(vectors, centres, iter=ROUNDS, minit="matrix", missing="warn")
    return np.asarray(moved, np.float32)


def nearest(vectors: Vectors, centres: Vectors) -> tuple[NDArray[np.int64], Vectors]:
    """(n,) which of (k, d) centres is nearest to each of (n, d) rows, and (n,) how far it is."""
    places = np.empty(len(vectors), np.int64)
    distances = np.empty(len(vectors), np.float32)
    lengths = (centres**2).sum(axis=1)
    for start in range(0, len(vectors), CHUNK):
        some = vectors[start : start + CHUNK]
        squares = lengths - 2 * some @ centres.T
        place = squares.argmin(axis=1)
        places[start : start + CHUNK] = place
        own = squares[np.arange(len(some)), place] + (some**2).sum(axis=1)
        distances[start : start + CHUNK] = np.sqrt(np.maximum(own, 0))
    return places, distances
