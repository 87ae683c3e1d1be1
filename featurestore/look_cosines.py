"""Cosines of all looks of a model with some vectors, exact."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore.errors import SegmentDamaged, SegmentUnavailable
from featurestore.looks import read_looks
from featurestore.model_looks import ModelLooks
from featurestore.segment_folder import read_again

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cosines:
    """How near n looks are to k vectors, and to the nearest of the reference."""

    image_ids: NDArray[np.int64]
    """(n,) rising."""
    cosines: NDArray[np.float32]
    """(n, k)"""
    of_reference: NDArray[np.float32]
    """(n,) the greatest with any vector of the reference."""


@dataclass(frozen=True)
class _Part:
    """A segment in memory."""

    image_ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    of_reference: NDArray[np.float32]


class LookCosines:
    """Looks of length 1 stay in memory, 4 bytes a number, which is what they are read fastest from.

    `reference` is (r, d) vectors of length 1 that are compared once with each look.
    """

    def __init__(self, looks: ModelLooks, reference: NDArray[np.float32]) -> None:
        self._looks = looks
        self._reference = reference
        self._parts: dict[Path, _Part | None] = {}
        self._lock = threading.Lock()

    def of(self, vectors: NDArray[np.float32]) -> Cosines:
        """Of all images that have looks and are not deleted.

        Args:
            vectors: (k, d), each of length 1, as the looks are.
        """
        ids, nearest = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        cosines = [np.empty((0, len(vectors)), np.float32)]
        for part, live in self._current():
            ids.append(part.image_ids[live])
            nearest.append(part.of_reference[live])
            # One by one, which takes a fraction of the time of a product of matrices.
            products = [(part.vectors @ vector)[live] for vector in vectors]
            cosines.append(np.stack(products, axis=1))
        together = np.concatenate(ids)
        order = np.argsort(together, kind="stable")
        return Cosines(
            together[order], np.concatenate(cosines)[order], np.concatenate(nearest)[order]
        )

    def _current(self) -> list[tuple[_Part, NDArray[np.int64]]]:
        """Each segment that can be read, and its rows that count."""
        return read_again(self._read_current)

    def _read_current(self) -> list[tuple[_Part, NDArray[np.int64]]]:
        segments = self._looks.segments()
        with self._lock:
            for path in self._parts.keys() - {segment.path for segment in segments}:
                del self._parts[path]
            found = [(self._part(each.path), each.live) for each in segments]
        return [(part, live) for part, live in found if part is not None]

    def _part(self, path: Path) -> _Part | None:
        """None of a segment that is damaged, which is told once."""
        if path not in self._parts:
            try:
                self._parts[path] = self._read(path)
            except SegmentDamaged as error:
                logger.error("Looks are left out: %s", error)
                self._parts[path] = None
            except SegmentUnavailable as error:
                logger.error("Looks are left out for now: %s", error)
                return None
        return self._parts[path]

    def _read(self, path: Path) -> _Part:
        looks = read_looks(path)
        if looks.embedding.shape[1] != self._reference.shape[1]:
            raise SegmentDamaged(
                path,
                f"its looks have {looks.embedding.shape[1]} numbers, expected were "
                f"{self._reference.shape[1]}",
            )
        vectors = looks.embedding.astype(np.float32)
        nearest = (vectors @ self._reference.T).max(axis=1)
        return _Part(looks.image_ids, vectors, nearest)
