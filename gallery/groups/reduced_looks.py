"""All looks of a store in a few dimensions, so that many thousands fit into memory and time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.looks import EMBEDDING_DIMENSIONS, read_looks
from featurestore.model_looks import ModelLooks
from gallery.groups.clustering import Vectors, principal_axes, unit_rows

DIMENSIONS = 64
# Enough to tell along which axes photos differ.
SAMPLE = 20_000


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
    """Reads one segment after the other, twice. Deterministic for the same looks.

    Raises StoreError, or FileNotFoundError where compaction replaced a segment meanwhile.
    """
    segments = [segment for segment in looks.segments() if len(segment.live)]
    share = min(1.0, SAMPLE / max(1, sum(len(segment.live) for segment in segments)))
    rng = np.random.default_rng(0)
    sample = [np.empty((0, EMBEDDING_DIMENSIONS), np.float32)]
    for segment in segments:
        rows = rng.permutation(segment.live)[: int(np.ceil(share * len(segment.live)))]
        sample.append(unit_rows(read_looks(segment.path).embedding[np.sort(rows)]))
    together = np.concatenate(sample)[: 2 * SAMPLE]
    if not len(together):
        mean = np.zeros(EMBEDDING_DIMENSIONS, np.float32)
        axes = np.eye(EMBEDDING_DIMENSIONS, DIMENSIONS, dtype=np.float32)
    else:
        mean, axes = principal_axes(together, DIMENSIONS)
    del sample, together
    ids = [np.empty(0, np.int64)]
    vectors = [np.empty((0, DIMENSIONS), np.float32)]
    for segment in segments:
        found = read_looks(segment.path).take(segment.live)
        ids.append(found.image_ids)
        vectors.append(np.asarray((unit_rows(found.embedding) - mean) @ axes, np.float32))
    image_ids = np.concatenate(ids)
    order = np.argsort(image_ids, kind="stable")
    return ReducedLooks(image_ids[order], np.concatenate(vectors)[order], mean, axes)
