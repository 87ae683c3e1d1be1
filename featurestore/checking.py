"""Finds everything that is wrong with a store: each checksum, offset and row is looked at."""

from __future__ import annotations

import errno
import hashlib
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
from featurestore.errors import SegmentDamaged, machine_errno
from featurestore.hdf5_files import HDF5_LOCK
from featurestore.live_rows import contains
from featurestore.look_index_files import LOOK_INDEX
from featurestore.look_postings_files import LOOK_POSTINGS
from featurestore.looks import LOOKS
from featurestore.reading_process import ReadingProcess
from featurestore.segment_checking import INDEXES, segment_problems
from featurestore.segment_file import SEGMENT_NAME
from featurestore.store import ABANDONED_SECONDS, FeatureStore
from featurestore.view import VIEW, VIEW_NAME

QUARANTINE = "quarantine"


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
            for within, image_id in segment_problems(path, kind):
                yield Finding(path, within, remedy, image_id)
            return
        yield Finding(path, problem, remedy)
        if remedy == Remedy.SALVAGE:
            for within, image_id in process.read(path, segment_problems, path, kind):
                yield Finding(path, within, remedy, image_id)
    except SegmentDamaged as error:
        yield Finding(path, f"cannot be read: {error.reason}", remedy)
    except (OSError, MemoryError) as error:
        # Of the machine's troubles, only a failing disk is mended by another file.
        number = machine_errno(error)
        if number is None or number != errno.EIO:
            raise
        yield Finding(path, f"cannot be read: {os.strerror(number)}", remedy)


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
