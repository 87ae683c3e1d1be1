"""What is wrong with a segment of looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from featurestore.columns import read_text_attribute
from featurestore.looks import (
    EMBEDDING_DIMENSIONS,
    GROUP,
    IMAGE_TEXT_PREFIX,
    KEPT_CLASSES,
    LOOKS,
    knows_classes,
    plausible_looks,
    read_classes,
)
from featurestore.segment_file import CHUNK_ROWS, open_segment_file


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
