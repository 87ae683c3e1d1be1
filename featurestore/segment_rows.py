"""Segments with the rows of them that count, which is what compaction decides by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class SegmentRows:
    """One segment; rows that are deleted or superseded do not count."""

    path: Path
    count: int
    """Rows in all."""
    live: NDArray[np.int64]
    """Rows that count, rising."""
    size: int
    """Bytes of the file."""
    superseded: bool
    """Whether rows of other segments have taken the place of some of it."""


def segment_rows(
    paths: Sequence[Path],
    counts: Sequence[int],
    live: NDArray[np.int64],
    deleted: NDArray[np.bool_],
) -> list[SegmentRows]:
    """Part rows that count by their segments.

    Args:
        paths: segments in order of writing.
        counts: rows of each.
        live: rows that count, numbered through all segments one after the other.
        deleted: of each row whether its image is deleted.
    """
    superseded = ~deleted
    superseded[live] = False
    starts = np.cumsum([0, *counts])
    by_segment = np.split(np.sort(live), np.searchsorted(np.sort(live), starts[1:-1]))
    return [
        SegmentRows(
            path,
            count,
            rows - start,
            path.stat().st_size,
            bool(superseded[start : start + count].any()),
        )
        for path, count, start, rows in zip(paths, counts, starts[:-1], by_segment, strict=False)
    ]
