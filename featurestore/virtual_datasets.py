"""HDF5 datasets of the view that show rows of many segments as if they lay in one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t
from numpy.typing import NDArray


@dataclass(frozen=True)
class Run:
    """Neighbouring rows of a segment's dataset that are neighbours in the view as well."""

    source: str
    """Path of the segment, relative to the view."""
    length: int
    """Rows of the segment's dataset."""
    start: int
    stop: int


def runs_of(sources: Sequence[str], counts: Sequence[int], rows: NDArray[np.int64]) -> list[Run]:
    """Rows, counted over all sources one after the other, as runs within the sources."""
    if len(rows) == 0:
        return []
    ends = np.cumsum(counts)
    numbers = np.searchsorted(ends, rows, side="right")
    breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(numbers) != 0)) + 1
    runs = []
    for part in np.split(rows, breaks):
        number = int(np.searchsorted(ends, part[0], side="right"))
        start = int(part[0] - ends[number]) + counts[number]
        runs.append(Run(sources[number], counts[number], start, start + len(part)))
    return runs


def write_virtual(
    group: h5py.Group,
    name: str,
    source_name: str,
    runs: Sequence[Run],
    row_shape: tuple[int, ...],
    dtype: type[np.generic],
    missing: float,
) -> None:
    """A dataset of all runs one after the other; `missing` shows where a source is gone."""
    runs = [run for run in runs if run.stop > run.start]
    length = sum(run.stop - run.start for run in runs)
    if not length:
        # HDF5 makes no virtual dataset without a source.
        group.create_dataset(name, shape=(0, *row_shape), dtype=dtype)
        return
    space = h5s.create_simple((length, *row_shape))
    properties = h5p.create(h5p.DATASET_CREATE)
    properties.set_fill_value(np.array(missing, dtype))
    first = (0,) * len(row_shape)
    at = 0
    # Not by h5py's VirtualLayout, which takes ten times as long for many runs.
    for run in runs:
        count = run.stop - run.start
        source = h5s.create_simple((run.length, *row_shape))
        source.select_hyperslab((run.start, *first), (count, *row_shape))
        space.select_hyperslab((at, *first), (count, *row_shape))
        properties.set_virtual(space, run.source.encode(), source_name.encode(), source)
        at += count
    h5d.create(group.id, name.encode(), h5t.py_create(np.dtype(dtype)), space, properties)
