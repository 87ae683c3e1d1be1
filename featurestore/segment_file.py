"""Immutable HDF5 files, named by the time and digest of what is in them.

`docs/featurestore-format.md` says what every one of them has.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

from featurestore.columns import read_text_attribute, write_text_attribute
from featurestore.durable import sha256_of, write_durably
from featurestore.errors import (
    DAMAGE_ERRORS,
    SegmentDamaged,
    SegmentUnavailable,
    StoreError,
    machine_errno,
)
from featurestore.hdf5_files import HDF5_LOCK, hdf5_content

FORMAT = "image-gallery-featurestore"
FORMAT_VERSION = 1

# A segment's name holds this much of its SHA-256, so that any change of any byte shows.
DIGEST_LENGTH = 32
SEGMENT_NAME = re.compile(rf"[0-9a-f]{{16}}-([0-9a-f]{{{DIGEST_LENGTH}}})\.h5")

CHUNK_ROWS = 1024


def digest_of(path: Path) -> str:
    """The part of a file's SHA-256 that its name should hold, if it is a segment."""
    return sha256_of(path)[:DIGEST_LENGTH]


def check_digest(path: Path) -> None:
    """Raises SegmentDamaged where a file has changed since it was named, OSError."""
    if path.name.partition("-")[2] != f"{digest_of(path)}.h5":
        raise SegmentDamaged(path, "its SHA-256 is not that of its name")


def time_ns_of(name: str) -> int:
    """The time in a segment's name, which orders segments."""
    return int(name.partition("-")[0], 16)


def write_segment(
    folder: Path,
    kind: str,
    fill: Callable[[h5py.File], None],
    *,
    time_ns: int | None = None,
    alignment: int = 1,
) -> Path:
    """Durably add a segment to `folder`, named by its time (now) and digest; returns its path.

    Args:
        alignment: datasets in one piece begin at multiples of so many bytes.
    """

    def fill_segment(file: h5py.File) -> None:
        write_root_attributes(file, kind)
        fill(file)

    content = hdf5_content(fill_segment, alignment=alignment)
    digest = hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]
    path = folder / f"{time_ns or time.time_ns():016x}-{digest}.h5"
    write_durably(path, lambda temporary: temporary.write_bytes(content))
    return path


def write_root_attributes(file: h5py.File, kind: str) -> None:
    """Set the attributes that every file of a store has."""
    write_text_attribute(file, "format", FORMAT)
    file.attrs["format_version"] = FORMAT_VERSION
    write_text_attribute(file, "kind", kind)


@contextmanager
def open_segment_file(path: Path, kind: str) -> Iterator[h5py.File]:
    """A segment for reading; whatever is wrong in it becomes SegmentDamaged.

    Raises SegmentUnavailable where the machine is to blame, FileNotFoundError.
    """
    try:
        # Segments never change, so a lock would only keep them off read-only and network disks.
        with HDF5_LOCK, h5py.File(path, "r", locking=False) as file:
            found = tuple(read_text_attribute(file, name) for name in ("format", "kind"))
            if found != (FORMAT, kind):
                raise SegmentDamaged(path, f"expected {(FORMAT, kind)}, found {found}")
            if int(file.attrs["format_version"]) > FORMAT_VERSION:
                raise SegmentDamaged(path, "it was written by a newer Image Gallery")
            yield file
    except DAMAGE_ERRORS as error:
        if isinstance(error, StoreError | FileNotFoundError):
            raise
        if not path.exists():
            # Compaction took it away while HDF5 opened it, which HDF5 tells in other words.
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from error
        number = machine_errno(error)
        if number is not None:
            raise SegmentUnavailable(path, number) from error
        raise SegmentDamaged(path, str(error)) from error
