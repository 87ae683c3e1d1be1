"""What is wrong within one file of a store, whatever its name says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore import segments
from featurestore.columns import read_text_attribute
from featurestore.errors import DAMAGE_ERRORS, SegmentDamaged, StoreError, machine_errno
from featurestore.index_files import read_index
from featurestore.look_checking import look_problems
from featurestore.look_index_files import LOOK_INDEX, read_look_index
from featurestore.look_postings_files import LOOK_POSTINGS, read_look_postings
from featurestore.looks import LOOKS
from featurestore.posting_kernels import MAX_CLASS_ID
from featurestore.segment_file import CHUNK_ROWS, open_segment_file

Problem = tuple[str, int | None]
"""A sentence without its subject, and the image that it is about."""

DETECTOR_SIDE = 300.0
# Boxes are float32, and were once multiplied by the side.
SIDE_TOLERANCE = 0.01

# Per dataset of `raw_images` with one entry an image: the shape of an entry and its NumPy kind.
IMAGE_COLUMNS: dict[str, tuple[tuple[int, ...], str]] = {
    "image_id": ((), "i"),
    "sha256": ((32,), "u"),
    "width": ((), "i"),
    "height": ((), "i"),
    "uploaded_at": ((), "f"),
    "name": ((), "S"),
    "media_type": ((), "S"),
}


def segment_problems(path: Path, kind: str) -> list[Problem]:
    """What is wrong within a segment. Raises SegmentDamaged, SegmentUnavailable."""
    try:
        if kind in _INDEX_READERS:
            # It is made again as a whole where it cannot be read.
            _INDEX_READERS[kind](path)
            return []
        return list(_PROBLEMS[kind](path))
    except DAMAGE_ERRORS as error:
        if isinstance(error, StoreError | FileNotFoundError) or machine_errno(error) is not None:
            raise
        raise SegmentDamaged(path, str(error)) from error


def plausible_features(ssd: NDArray[np.float32], nlp: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(n,) which rows a detector can have written.

    Args:
        ssd: (n, 20, 6) rows of [class_id, score, xmin, ymin, xmax, ymax].
        nlp: (n, 50)
    """
    class_ids, scores, boxes = ssd[:, :, 0], ssd[:, :, 1], ssd[:, :, 2:]
    with np.errstate(invalid="ignore"):
        right = [
            np.isfinite(ssd).all((1, 2)),
            np.isfinite(nlp).all(1),
            ((class_ids >= 0) & (class_ids <= MAX_CLASS_ID) & (class_ids % 1 == 0)).all(1),
            ((scores >= 0) & (scores <= 1)).all(1),
            (np.diff(scores, axis=1) <= 0).all(1),
            ((boxes >= -SIDE_TOLERANCE) & (boxes <= DETECTOR_SIDE + SIDE_TOLERANCE)).all((1, 2)),
            (boxes[:, :, :2] <= boxes[:, :, 2:]).all((1, 2)),
        ]
    plausible: NDArray[np.bool_] = np.logical_and.reduce(right)
    return plausible


def _image_problems(path: Path) -> Iterator[Problem]:
    with open_segment_file(path, segments.IMAGES) as file:
        group = file["raw_images"]
        problem = _image_columns_problem(group)
        if problem:
            yield problem, None
            return
        offsets, ids, digests = group["offset"][:], group["image_id"][:], group["sha256"][:]
        data = memoryview(group["data"][:])
        for row, image_id in enumerate(ids.tolist()):
            image = data[offsets[row] : offsets[row + 1]]
            if hashlib.sha256(image).digest() != digests[row].tobytes():
                yield f"holds image {image_id}, whose bytes have changed.", image_id


def _image_columns_problem(group: h5py.Group) -> str:
    """What is wrong with the columns of an image segment, empty where nothing is."""
    count = len(group["image_id"])
    for name, (shape, kind) in IMAGE_COLUMNS.items():
        expected, found = (count, *shape), group[name].shape
        if found != expected:
            return f"should have {name} of shape {expected}, has {found}."
        if group[name].dtype.kind != kind:
            return f"has {name} of a wrong type, {group[name].dtype}."
        group[name][:]
    offsets = group["offset"][:]
    if offsets.shape != (count + 1,) or offsets[0] != 0 or (np.diff(offsets) < 0).any():
        return "has offsets that do not rise from 0."
    if group["data"].shape != (offsets[-1],) or group["data"].dtype != np.uint8:
        return f"should hold {offsets[-1]} bytes of images, holds {group['data'].shape}."
    ids = group["image_id"][:]
    if (ids < 1).any() or len(np.unique(ids)) != count:
        return "has image ids that are not positive or come twice."
    if (group["width"][:] < 1).any() or (group["height"][:] < 1).any():
        return "has an image without pixels."
    if not np.isfinite(group["uploaded_at"][:]).all():
        return "has an image without a time."
    return ""


def _feature_problems(path: Path) -> Iterator[Problem]:
    with open_segment_file(path, segments.FEATURES) as file:
        model_id = read_text_attribute(file, "model_id")
        if model_id != path.parent.name:
            yield f"holds features of the model {model_id}.", None
            return
        ssd, nlp = file["ssd_feature_group"], file["nlp_feature_group"]
        ids = ssd["image_id"][:]
        for name in ("image_id", "written_at"):
            if not np.array_equal(ssd[name][:], nlp[name][:]):
                yield f"has a different {name} in its two groups.", None
                return
        for group, shape in (
            (ssd, (segments.MAX_OBJECTS, segments.OBJECT_COLUMNS)),
            (nlp, (segments.SENTENCE_DIMENSIONS,)),
        ):
            expected, found = (len(ids), *shape), group["features"].shape
            if found != expected:
                yield f"should have features of shape {expected}, has {found}.", None
                return
        if (ids < 1).any() or len(ssd["written_at"]) != len(ids):
            yield "has rows without an image or a time.", None
            return
        for start in range(0, len(ids), CHUNK_ROWS):
            rows = slice(start, start + CHUNK_ROWS)
            wrong = ~plausible_features(ssd["features"][rows], nlp["features"][rows])
            for image_id in ids[rows][wrong].tolist():
                yield f"has features of image {image_id} that no detector gives.", image_id


def _deletion_problems(path: Path) -> Iterator[Problem]:
    if (segments.read_deletions(path) < 1).any():
        yield "has image ids that are not positive.", None


def _edit_problems(path: Path) -> Iterator[Problem]:
    for edit in segments.read_edits(path):
        json.loads(edit.value)
        if edit.image_id < 1 or not np.isfinite(edit.edited_at):
            yield "has edits without an image or a time.", None
            return


_PROBLEMS: dict[str, Callable[[Path], Iterator[Problem]]] = {
    segments.IMAGES: _image_problems,
    segments.FEATURES: _feature_problems,
    LOOKS: look_problems,
    segments.DELETIONS: _deletion_problems,
    segments.EDITS: _edit_problems,
}

_INDEX_READERS: dict[str, Callable[[Path], object]] = {
    segments.INDEX: read_index,
    LOOK_INDEX: read_look_index,
    LOOK_POSTINGS: read_look_postings,
}

# Kinds of files that can be made again from others.
INDEXES = frozenset(_INDEX_READERS)
