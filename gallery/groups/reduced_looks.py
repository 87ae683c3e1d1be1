"""All looks of a store in a few dimensions, so that many thousands fit into memory and time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore.looks import EMBEDDING_DIMENSIONS, GROUP, LOOKS
from featurestore.model_looks import ModelLooks
from featurestore.segment_file import open_segment_file
from featurestore.segment_rows import SegmentRows
from gallery.groups.clustering import Scatter, Vectors, unit_rows

DIMENSIONS = 64
# Enough to tell along which axes photos differ.
SAMPLE = 20_000
# Looks that are in memory at a time: 30 MB.
CHUNK = 4096


@dataclass(frozen=True)
class ReducedLooks:
    """Looks along the axes on which they differ most.

    Two photos are never further apart here than they are by their whole looks.
    """

    image_ids: NDArray[np.int64]
    """(n,) rising"""
    vectors: Vectors
    """(n, 64)"""
    mean: Vectors
    """(1280,)"""
    axes: Vectors
    """(1280, 64)"""

    def reduce(self, units: Vectors) -> Vectors:
        """(m, 1280) unit rows along the axes."""
        return np.asarray((units - self.mean) @ self.axes, np.float32)

    def restore(self, vectors: Vectors) -> Vectors:
        """What (m, 64) vectors are as whole looks, nearly."""
        return vectors @ self.axes.T + self.mean

    def only(self, image_ids: NDArray[np.int64]) -> ReducedLooks:
        """Those of some images."""
        rows = np.isin(self.image_ids, image_ids)
        return ReducedLooks(self.image_ids[rows], self.vectors[rows], self.mean, self.axes)


def read_reduced(looks: ModelLooks) -> ReducedLooks:
    """Reads all looks twice, few at a time. Deterministic for the same looks.

    Raises StoreError, or FileNotFoundError where compaction replaced a segment meanwhile.
    """
    segments = looks.segments()
    share = min(1.0, SAMPLE / max(1, sum(len(segment.live) for segment in segments)))
    rng = np.random.default_rng(0)
    scatter = Scatter(EMBEDDING_DIMENSIONS)
    for segment in segments:
        rows = rng.permutation(segment.live)[: int(np.ceil(share * len(segment.live)))]
        for _, units in _unit_rows(segment.path, np.sort(rows)):
            scatter.add(units)
    mean, axes = scatter.principal_axes(DIMENSIONS)
    ids = [np.empty(0, np.int64)]
    vectors = [np.empty((0, DIMENSIONS), np.float32)]
    for some, units in unit_looks(segments):
        ids.append(some)
        vectors.append(np.asarray((units - mean) @ axes, np.float32))
    image_ids = np.concatenate(ids)
    order = np.argsort(image_ids, kind="stable")
    return ReducedLooks(image_ids[order], np.concatenate(vectors)[order], mean, axes)


def unit_looks(segments: Iterable[SegmentRows]) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
    """(n,) ids and (n, 1280) looks of length 1 of all images of some segments, few at a time.

    Raises as `read_reduced` does.
    """
    for segment in segments:
        yield from _unit_rows(segment.path, segment.live)


def _unit_rows(path: Path, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
    """Likewise of rising rows of a segment."""
    if not len(rows):
        return
    with open_segment_file(path, LOOKS) as file:
        ids, embedding = file[GROUP]["image_id"], file[GROUP]["features"]
        for start in range(0, int(rows[-1]) + 1, CHUNK):
            first, stop = np.searchsorted(rows, [start, start + CHUNK])
            if first < stop:
                chosen = rows[first:stop] - start
                some = slice(start, start + CHUNK)
                found = np.asarray(embedding[some], np.float16)[chosen]
                yield np.asarray(ids[some], np.int64)[chosen], unit_rows(found)
