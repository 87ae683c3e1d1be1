"""Cosines of all looks of a model with some vectors: exact, block by block."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore.errors import SegmentDamaged, SegmentUnavailable
from featurestore.looks import LookFeatures, read_looks
from featurestore.model_looks import ModelLooks
from featurestore.segment_rows import SegmentRows

logger = logging.getLogger(__name__)

# As many rows at a time as stay in the processor's cache while they become float32.
BLOCK_ROWS = 2048
# Compaction can remove a segment while it is read, but hardly several times in a row.
TRIES = 5


class LookCosines:
    """Vectors of length 1 stay in memory as they are stored: 2 bytes a number."""

    def __init__(self, looks: ModelLooks) -> None:
        self._looks = looks
        self._parts: dict[Path, LookFeatures] = {}
        self._lock = threading.Lock()

    def of(self, vectors: NDArray[np.float32]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(n,) ids of all images that have looks, rising, and (n, k) cosines with k vectors.

        Args:
            vectors: (k, d), each of length 1, as the looks are.
        """
        ids, cosines = [np.empty(0, np.int64)], [np.empty((0, len(vectors)), np.float32)]
        for part, live in self._current():
            if part.embedding.shape[1] != vectors.shape[1]:
                logger.error("Looks of another dimension than that of their model are left out.")
                continue
            ids.append(part.image_ids[live])
            cosines.append(_products(part.embedding, vectors)[live])
        together = np.concatenate(ids)
        order = np.argsort(together, kind="stable")
        return together[order], np.concatenate(cosines)[order]

    def _current(self) -> list[tuple[LookFeatures, NDArray[np.int64]]]:
        """Each segment that can be read, and its rows that count."""
        for tries_left in reversed(range(TRIES)):
            try:
                rows = self._looks.segments()
                with self._lock:
                    gone = self._parts.keys() - {row.path for row in rows}
                    for path in gone:
                        del self._parts[path]
                    parts = [(self._part(row), row.live) for row in rows]
                return [(part, live) for part, live in parts if part is not None]
            except FileNotFoundError:
                if not tries_left:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _part(self, row: SegmentRows) -> LookFeatures | None:
        if row.path not in self._parts:
            try:
                self._parts[row.path] = read_looks(row.path)
            except (SegmentDamaged, SegmentUnavailable) as error:
                logger.error("Looks are left out: %s", error)
                return None
        return self._parts[row.path]


def _products(embedding: NDArray[np.float16], vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, k) scalar products."""
    products = np.empty((len(embedding), len(vectors)), np.float32)
    for start in range(0, len(embedding), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        np.matmul(embedding[rows].astype(np.float32), vectors.T, out=products[rows])
    return products
