"""Postings in a file that processes map into memory and share.

An index file is a segment of its own kind, named by its digest, and can always be made again. It
says which feature segments it covers; rows of others are looked at one by one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.postings import Objects, Postings
from featurestore.segments import INDEX, open_segment_file, write_segment

# Raised when the arrays change their meaning; an index of another version is made again.
INDEX_VERSION = 1

COLUMNS = (
    "image_ids",
    "written_at",
    "sentence_vectors",
    "class_starts",
    "image_starts",
    "image_objects",
)
OBJECT_COLUMNS = ("image_rows", "scores", "boxes")


@dataclass(frozen=True)
class IndexFile:
    """Postings and the names of the feature segments whose rows are all in them."""

    path: Path
    postings: Postings
    covers: frozenset[str]


def write_index(folder: Path, postings: Postings, covers: frozenset[str]) -> Path:
    """Write an index file into `folder`; returns its path."""

    def fill(file: h5py.File) -> None:
        file.attrs["index_version"] = INDEX_VERSION
        for name in COLUMNS:
            _add(file, name, getattr(postings, name))
        for name in OBJECT_COLUMNS:
            _add(file, name, getattr(postings.objects, name))
        file.create_dataset("covers", data=sorted(covers), dtype=h5py.string_dtype("utf-8"))

    return write_segment(folder, INDEX, fill)


def read_index(path: Path) -> IndexFile | None:
    """Map an index file; None where its version is another. Raises SegmentDamaged."""
    with open_segment_file(path, INDEX) as file:
        if int(file.attrs["index_version"]) != INDEX_VERSION:
            return None
        columns: dict[str, Any] = {name: _mapped(path, file[name]) for name in COLUMNS}
        objects: dict[str, Any] = {name: _mapped(path, file[name]) for name in OBJECT_COLUMNS}
        postings = Postings(**columns, objects=Objects(**objects))
        _check_places(postings)
        return IndexFile(
            path=path,
            postings=postings,
            covers=frozenset(file["covers"].asstr()[:]),
        )


def _check_places(postings: Postings) -> None:
    """Raises ValueError where places lead out of their arrays, which would fail every search.

    The SHA-256 would show any other change, but is slow to compute at each start.
    """
    rows, places = postings.objects.image_rows, postings.image_objects
    for array, stop in ((rows, len(postings)), (places, len(rows))):
        if len(array) != len(rows) or (len(array) and not 0 <= array.min() <= array.max() < stop):
            raise ValueError("objects outside the index")
    for starts in (postings.class_starts, postings.image_starts):
        if starts[0] != 0 or starts[-1] != len(rows) or (np.diff(starts) < 0).any():
            raise ValueError("starts that do not rise to the number of objects")
    if (np.diff(postings.image_ids) <= 0).any():
        raise ValueError("image ids that do not rise")


def _add(file: h5py.File, name: str, array: NDArray[np.generic]) -> None:
    # Contiguous, so that the bytes lie in the file as they do in memory.
    file.create_dataset(name, data=array, chunks=None)


def _mapped(path: Path, dataset: h5py.Dataset) -> NDArray[np.generic]:
    offset = dataset.id.get_offset()
    if offset is None or dataset.size == 0:
        empty: NDArray[np.generic] = dataset[:]
        return empty
    return np.memmap(path, dataset.dtype, "r", offset, dataset.shape)
