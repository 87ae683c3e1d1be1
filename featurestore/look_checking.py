"""What is wrong with a segment of looks, and what is still whole in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.columns import read_text_attribute
from featurestore.errors import DAMAGE_ERRORS, SegmentDamaged
from featurestore.hdf5_files import HDF5_LOCK
from featurestore.looks import (
    EMBEDDING_DIMENSIONS,
    GROUP,
    IMAGE_TEXT_PREFIX,
    KEPT_CLASSES,
    LOOKS,
    LookFeatures,
    knows_classes,
    plausible_looks,
    read_classes,
)
from featurestore.reading_process import ReadingProcess
from featurestore.segment_file import CHUNK_ROWS, open_segment_file

logger = logging.getLogger(__name__)


def look_problems(path: Path) -> Iterator[tuple[str, int | None]]:
    """(sentence without its subject, image id) of each problem. Raises SegmentDamaged."""
    with open_segment_file(path, LOOKS) as file:
        model_id = read_text_attribute(file, "model_id")
        if model_id != path.parent.name:
            yield f"holds looks of the model {model_id}.", None
            return
        group = file[GROUP]
        ids, times = group["image_id"][:], group["written_at"][:]
        if (ids < 1).any() or times.shape != ids.shape:
            yield "has rows without an image or a time.", None
            return
        for name, columns, dtype in _matrices(group, model_id):
            expected = ((len(ids), columns), np.dtype(dtype))
            found = (group[name].shape, group[name].dtype)
            if found != expected:
                yield f"should have {name} of {expected}, has {found}.", None
                return
        for start in range(0, len(ids), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            plausible = plausible_looks(group["features"][rows], *read_classes(group, rows))
            for image_id in ids[rows][~plausible].tolist():
                yield f"has a look of image {image_id} that no model gives.", image_id


def _matrices(group: h5py.Group, model_id: str) -> Iterator[tuple[str, int, type[np.generic]]]:
    """Name, columns and dtype of each dataset that a segment of a model should have."""
    is_image_text = model_id.startswith(IMAGE_TEXT_PREFIX)
    dimensions = group["features"].shape[-1] if is_image_text else EMBEDDING_DIMENSIONS
    yield "features", dimensions, np.float16
    if knows_classes(group) or not is_image_text:
        yield "class_id", KEPT_CLASSES, np.int16
        yield "class_score", KEPT_CLASSES, np.float32


def salvage_looks(path: Path, process: ReadingProcess) -> LookFeatures:
    """Rows of a damaged segment that are whole; the others are computed again."""
    found: list[LookFeatures] = []
    try:
        for part in process.read(path, _whole_looks, path):
            found.append(part)
    except SegmentDamaged as error:
        logger.warning("No more is salvaged of it: %s", error)
    return LookFeatures.concatenated(found)


def _whole_looks(path: Path) -> Iterator[LookFeatures]:
    """Chunk by chunk: HDF5 itself notices a chunk that has changed."""
    with HDF5_LOCK, h5py.File(path, "r", locking=False) as file:
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
