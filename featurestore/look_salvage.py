"""Takes out of a damaged segment of looks what is still whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.errors import DAMAGE_ERRORS
from featurestore.looks import GROUP, LookFeatures, plausible_looks, read_classes
from featurestore.reading_process import ReadingProcess
from featurestore.salvage import read_parts
from featurestore.segment_file import CHUNK_ROWS


def salvage_looks(path: Path, process: ReadingProcess) -> LookFeatures:
    """Rows of a damaged segment that are whole; the others are computed again."""
    return LookFeatures.concatenated(list(read_parts(path, process, _whole_looks)))


def _whole_looks(file: h5py.File) -> Iterator[LookFeatures]:
    """Chunk by chunk: HDF5 itself notices a chunk that has changed."""
    group = file[GROUP]
    ids, times = group["image_id"][:], group["written_at"][:]
    for start in range(0, min(len(ids), len(times)), CHUNK_ROWS):
        rows = slice(start, start + CHUNK_ROWS)
        part = _chunk(group, rows)
        if part is not None:
            embedding, class_ids, class_scores = part
            good = (ids[rows] > 0) & plausible_looks(embedding, class_ids, class_scores)
            yield LookFeatures(
                ids[rows][good],
                embedding[good],
                class_ids[good],
                class_scores[good],
                times[rows][good],
            )


def _chunk(
    group: h5py.Group, rows: slice
) -> tuple[NDArray[np.float16], NDArray[np.int16], NDArray[np.float32]] | None:
    try:
        return group["features"][rows], *read_classes(group, rows)
    except DAMAGE_ERRORS:
        return None
