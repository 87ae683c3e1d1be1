"""Single rows of segments of looks, read without the rest of the segment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore.errors import SegmentDamaged
from featurestore.live_rows import contains
from featurestore.looks import EMBEDDING_DIMENSIONS, GROUP, LOOKS
from featurestore.segment_file import open_segment_file

ROW_BYTES = 2 * EMBEDDING_DIMENSIONS
# So many segments are 64 GB of looks.
KEPT_SEGMENTS = 1024


class LookRows:
    """Where in some segments the latest look of each image lies."""

    def __init__(
        self, segments: Mapping[Path, tuple[NDArray[np.int64], NDArray[np.int64]]]
    ) -> None:
        """
        Args:
            segments: (n,) image ids and (n,) times of each, in order of writing.
        """
        self._segments = [
            (path, ids[order], times[order], order)
            for path, (ids, times) in segments.items()
            for order in [np.argsort(ids, kind="stable")]
        ]

    def read(self, image_ids: NDArray[np.int64]) -> NDArray[np.float16]:
        """(k, 1280) embeddings of rising ids, 0 for images that there is no look of.

        Raises FileNotFoundError where compaction has moved some, SegmentDamaged.
        """
        newest = np.full(len(image_ids), np.iinfo(np.int64).min)
        segment = np.full(len(image_ids), -1)
        row = np.zeros(len(image_ids), np.int64)
        for number, (_, rising, times, order) in enumerate(self._segments):
            # Of an image that is there twice the later row.
            places = np.searchsorted(rising, image_ids, side="right") - 1
            later = contains(rising, image_ids)
            later[later] = times[places[later]] >= newest[later]
            chosen = places[later]
            newest[later], segment[later], row[later] = times[chosen], number, order[chosen]
        found = np.zeros((len(image_ids), EMBEDDING_DIMENSIONS), np.float16)
        for number in np.unique(segment[segment >= 0]).tolist():
            chosen = np.flatnonzero(segment == number)
            found[chosen] = read_embeddings(self._segments[number][0], row[chosen])
        return found


def read_embeddings(path: Path, rows: NDArray[np.int64]) -> NDArray[np.float16]:
    """(k, 1280) embeddings of some rows of a segment.

    HDF5 would read and check a thousand rows for each. Raises FileNotFoundError, SegmentDamaged,
    SegmentUnavailable.
    """
    rows_a_chunk, offsets = _chunks(path)
    found = bytearray(len(rows) * ROW_BYTES)
    into = memoryview(found)
    file = os.open(path, os.O_RDONLY)
    try:
        for place, row in enumerate(rows.tolist()):
            chunk, within = divmod(row, rows_a_chunk)
            part = into[place * ROW_BYTES : (place + 1) * ROW_BYTES]
            if os.preadv(file, [part], offsets[chunk] + within * ROW_BYTES) != ROW_BYTES:
                raise SegmentDamaged(path, "it is shorter than its rows")
    finally:
        os.close(file)
    return np.frombuffer(found, "<f2").reshape(-1, EMBEDDING_DIMENSIONS)


@lru_cache(KEPT_SEGMENTS)
def _chunks(path: Path) -> tuple[int, tuple[int, ...]]:
    """Rows of a chunk, and where in the file each begins. Raises as `open_segment_file` does."""
    with open_segment_file(path, LOOKS) as file:
        features = file[GROUP]["features"]
        if features.dtype != np.dtype("<f2") or features.compression or features.shuffle:
            raise SegmentDamaged(path, "its looks are not plain numbers of 16 bits")
        rows = features.chunks[0]
        count = -(-len(features) // rows)
        return rows, tuple(
            features.id.get_chunk_info(number).byte_offset for number in range(count)
        )
