"""Finds everything that is wrong with a store: each checksum, offset and row is looked at."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore import segment_file, segments
from featurestore.columns import read_text_attribute
from featurestore.current_model import MODELS_FILE, read_model_choice
from featurestore.durable import UNFINISHED
from featurestore.errors import DAMAGE_ERRORS, SegmentDamaged, StoreError, machine_errno
from featurestore.hdf5_files import HDF5_LOCK
from featurestore.index_files import read_index
from featurestore.live_rows import contains
from featurestore.look_checking import look_problems
from featurestore.look_index_files import LOOK_INDEX, read_look_index
from featurestore.look_postings_files import LOOK_POSTINGS, read_look_postings
from featurestore.looks import LOOKS
from featurestore.posting_kernels import MAX_CLASS_ID
from featurestore.reading_process import ReadingProcess
from featurestore.segment_file import SEGMENT_NAME, open_segment_file
from featurestore.store import ABANDONED_SECONDS, FeatureStore
from featurestore.view import VIEW, VIEW_NAME

QUARANTINE = "quarantine"

# Kinds of files that can be made again from others.
INDEXES = frozenset([segments.INDEX, LOOK_INDEX, LOOK_POSTINGS])

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


class Remedy(StrEnum):
    """What can be done about a finding."""

    SALVAGE = "salvage"
    """What is whole in the file moves to a new one; the file itself goes to the quarantine."""
    RE_DERIVE = "re-derive"
    """It is computed again from the original."""
    REWRITE = "rewrite"
    """It is written again from the store."""
    REMOVE = "remove"
    """It is rubbish, or made again when it is needed."""
    LOST = "lost"
    """Only a backup can bring it back."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    path: Path
    problem: str
    """A sentence without its subject, the path."""
    remedy: Remedy
    image_id: int | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.problem} [{self.remedy}]"


def check_store(
    folder: Path, progress: Callable[[int], object] = lambda size: None
) -> Iterator[Finding]:
    """Everything that is wrong below a store's folder, while it may be written to.

    Hold the `compaction_lock`, so that no segment is removed meanwhile.

    Args:
        progress: called with the bytes of each file that has been checked.
    """
    with ReadingProcess() as process:
        for path, kind in segment_files(folder):
            try:
                size = path.stat().st_size
                yield from check_segment(path, kind, process)
            except FileNotFoundError:
                continue  # An index file may be replaced at any time.
            progress(size)
        yield from _rubbish(folder)
        yield from _check_view(folder, process, progress)
        yield from _check_models(folder)


def bytes_to_check(folder: Path) -> int:
    """How much `check_store` will report as its progress, about."""
    segments_size = sum(path.stat().st_size for path, _ in segment_files(folder))
    view = folder / VIEW_NAME
    return segments_size + (_images_size(folder) if view.exists() else 0)


def segment_files(folder: Path) -> Iterator[tuple[Path, str]]:
    """(path, kind) of every segment and of every file that stands where segments do."""
    for name, kind in (
        ("images", segments.IMAGES),
        ("features/*", segments.FEATURES),
        (f"{LOOKS}/*", LOOKS),
        ("deletions", segments.DELETIONS),
        ("edits", segments.EDITS),
        ("index/*", segments.INDEX),
        (f"{LOOK_INDEX}/*", LOOK_INDEX),
        (f"{LOOK_POSTINGS}/*", LOOK_POSTINGS),
    ):
        for segment_folder in sorted(folder.glob(name)):
            for path in sorted(segment_folder.iterdir()):
                if not path.name.startswith(UNFINISHED):
                    yield path, kind


def check_segment(path: Path, kind: str, process: ReadingProcess) -> Iterator[Finding]:
    """What is wrong with one segment.

    Args:
        process: reads it where it has changed on disk.

    Raises FileNotFoundError, SegmentUnavailable (but for a failing disk).
    """
    remedy = Remedy.REMOVE if kind in INDEXES else Remedy.SALVAGE
    name = SEGMENT_NAME.fullmatch(path.name)
    try:
        if name is None:
            problem = "is not named as a segment is."
        elif segment_file.digest_of(path) != name[1]:
            problem = "has changed on disk: its SHA-256 is not that of its name."
        else:
            yield from _contents_problems(path, kind)
            return
        yield Finding(path, problem, remedy)
        if remedy == Remedy.SALVAGE:
            yield from process.read(path, _contents_problems, path, kind)
    except SegmentDamaged as error:
        yield Finding(path, f"cannot be read: {error.reason}", remedy)
    except (OSError, MemoryError) as error:
        # Of the machine's troubles, only a failing disk is mended by another file.
        number = machine_errno(error)
        if number is None or number != errno.EIO:
            raise
        yield Finding(path, f"cannot be read: {os.strerror(number)}", remedy)


def _contents_problems(path: Path, kind: str) -> list[Finding]:
    """What is wrong within a segment. Raises SegmentDamaged, SegmentUnavailable."""
    try:
        return _CHECKS[kind](path)
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


def _check_images(path: Path) -> list[Finding]:
    with open_segment_file(path, segments.IMAGES) as file:
        group = file["raw_images"]
        problem = _image_columns_problem(group)
        if problem:
            return [Finding(path, problem, Remedy.SALVAGE)]
        offsets, ids, digests = group["offset"][:], group["image_id"][:], group["sha256"][:]
        findings = []
        data = memoryview(group["data"][:])
        for row, image_id in enumerate(ids.tolist()):
            image = data[offsets[row] : offsets[row + 1]]
            if hashlib.sha256(image).digest() != digests[row].tobytes():
                problem = f"holds image {image_id}, whose bytes have changed."
                findings.append(Finding(path, problem, Remedy.SALVAGE, image_id))
        return findings


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


def _check_features(path: Path) -> list[Finding]:
    with open_segment_file(path, segments.FEATURES) as file:
        model_id = read_text_attribute(file, "model_id")
        if model_id != path.parent.name:
            problem = f"holds features of the model {model_id}."
            return [Finding(path, problem, Remedy.SALVAGE)]
        ssd, nlp = file["ssd_feature_group"], file["nlp_feature_group"]
        ids = ssd["image_id"][:]
        for name in ("image_id", "written_at"):
            if not np.array_equal(ssd[name][:], nlp[name][:]):
                problem = f"has a different {name} in its two groups."
                return [Finding(path, problem, Remedy.SALVAGE)]
        for group, shape in (
            (ssd, (segments.MAX_OBJECTS, segments.OBJECT_COLUMNS)),
            (nlp, (segments.SENTENCE_DIMENSIONS,)),
        ):
            expected, found = (len(ids), *shape), group["features"].shape
            if found != expected:
                problem = f"should have features of shape {expected}, has {found}."
                return [Finding(path, problem, Remedy.SALVAGE)]
        if (ids < 1).any() or len(ssd["written_at"]) != len(ids):
            return [Finding(path, "has rows without an image or a time.", Remedy.SALVAGE)]
        findings = []
        for start in range(0, len(ids), segment_file.CHUNK_ROWS):
            rows = slice(start, start + segment_file.CHUNK_ROWS)
            wrong = ~plausible_features(ssd["features"][rows], nlp["features"][rows])
            for image_id in ids[rows][wrong].tolist():
                problem = f"has features of image {image_id} that no detector gives."
                findings.append(Finding(path, problem, Remedy.SALVAGE, image_id))
        return findings


def _check_looks(path: Path) -> list[Finding]:
    return [
        Finding(path, problem, Remedy.SALVAGE, image_id)
        for problem, image_id in look_problems(path)
    ]


def _check_deletions(path: Path) -> list[Finding]:
    if (segments.read_deletions(path) < 1).any():
        return [Finding(path, "has image ids that are not positive.", Remedy.SALVAGE)]
    return []


def _check_edits(path: Path) -> list[Finding]:
    for edit in segments.read_edits(path):
        json.loads(edit.value)
        if edit.image_id < 1 or not np.isfinite(edit.edited_at):
            return [Finding(path, "has edits without an image or a time.", Remedy.SALVAGE)]
    return []


def _check_index(path: Path) -> list[Finding]:
    read_index(path)
    return []


def _check_look_index(path: Path) -> list[Finding]:
    read_look_index(path)
    return []


def _check_look_postings(path: Path) -> list[Finding]:
    read_look_postings(path)
    return []


_CHECKS: dict[str, Callable[[Path], list[Finding]]] = {
    segments.IMAGES: _check_images,
    segments.FEATURES: _check_features,
    LOOKS: _check_looks,
    segments.DELETIONS: _check_deletions,
    segments.EDITS: _check_edits,
    segments.INDEX: _check_index,
    LOOK_INDEX: _check_look_index,
    LOOK_POSTINGS: _check_look_postings,
}


def _rubbish(folder: Path) -> Iterator[Finding]:
    newest = time.time() - ABANDONED_SECONDS
    for path in sorted(folder.rglob(f"{UNFINISHED}*")):
        try:
            if path.stat().st_mtime < newest:
                problem = "was left by a writer that was killed."
                yield Finding(path, problem, Remedy.REMOVE)
        except FileNotFoundError:
            continue


def _check_view(
    folder: Path, process: ReadingProcess, progress: Callable[[int], object]
) -> Iterator[Finding]:
    path = folder / VIEW_NAME
    if not path.exists():
        return
    live = FeatureStore(folder).image_ids()
    try:
        # Its bytes have no checksum, and HDF5 keeps what a virtual dataset consists of in its heap.
        for image_id, size, is_right in process.read(path, _images_in_view, path, live):
            progress(size)
            if not is_right:
                problem = f"does not show image {image_id} as it is stored, and is made again."
                yield Finding(path, problem, Remedy.REMOVE, image_id)
    except SegmentDamaged as error:
        problem = f"cannot be read, and is made again: {error.reason}"
        yield Finding(path, problem, Remedy.REMOVE)


def _images_in_view(path: Path, live: NDArray[np.int64]) -> Iterator[tuple[int, int, bool]]:
    """(id, bytes, whether they have their SHA-256) of images in a view.

    Args:
        live: rising ids of the images to look at.
    """
    with HDF5_LOCK, h5py.File(path, "r", locking=False) as file:
        if read_text_attribute(file, "kind") != VIEW:
            raise SegmentDamaged(path, "it is not a view")
        group = file["raw_images"]
        columns = group["image_id"][:], group["start"][:], group["stop"][:], group["sha256"][:]
        rows = contains(live, columns[0])
        for image_id, start, stop, digest in zip(
            *(column[rows] for column in columns), strict=True
        ):
            data = group["data"][start:stop].tobytes()
            yield int(image_id), len(data), hashlib.sha256(data).digest() == digest.tobytes()


def _check_models(folder: Path) -> Iterator[Finding]:
    try:
        choice = read_model_choice(folder)
    except SegmentDamaged as error:
        yield Finding(folder / MODELS_FILE, f"cannot be read: {error.reason}.", Remedy.SALVAGE)
        return
    models = {path.parent.name for path in (folder / "features").glob("*/*.h5")}
    if choice is not None and models and choice.current not in models:
        problem = f"names the model {choice.current}, which no features are stored of."
        yield Finding(folder / MODELS_FILE, problem, Remedy.SALVAGE)


def _images_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in (folder / "images").glob("*.h5"))
