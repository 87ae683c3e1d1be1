"""Reads originals from their places in image segments, without HDF5 once those are known."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore.durable import FileState
from featurestore.errors import ImageDamaged, SegmentDamaged, SegmentUnavailable, machine_errno
from featurestore.segment_file import open_segment_file
from featurestore.segments import IMAGES


@dataclass(frozen=True)
class _ImagePlaces:
    """Where the n images of a segment lie in its file."""

    data_start: int
    offsets: NDArray[np.int64]
    """(n + 1,) bytes from data_start, never falling."""
    sha256: NDArray[np.uint8]
    """(n, 32)"""
    image_ids: NDArray[np.int64]
    """(n,)"""


def read_image_bytes(path: Path, row: int) -> bytes:
    """The original bytes of one row of an image segment.

    Raises SegmentDamaged, SegmentUnavailable, or ImageDamaged on a wrong SHA-256;
    FileNotFoundError.
    """
    try:
        with path.open("rb", buffering=0) as file:
            state = FileState.of(os.fstat(file.fileno()))
            places = _image_places(path, state)
            start, stop = places.offsets[row : row + 2].tolist()
            data = os.pread(file.fileno(), stop - start, places.data_start + start)
    except OSError as error:
        number = machine_errno(error)
        if number is None:
            raise
        raise SegmentUnavailable(path, number) from error
    if hashlib.sha256(data).digest() != places.sha256[row].tobytes():
        raise ImageDamaged(int(places.image_ids[row]), path)
    return data


# A segment never changes, but a damaged one may be restored under its name. It is 48 bytes an
# image: a million images of any size stay under 50 MB.
@lru_cache(maxsize=1024)
def _image_places(path: Path, state: FileState) -> _ImagePlaces:
    with open_segment_file(path, IMAGES) as file:
        group = file["raw_images"]
        data_start = group["data"].id.get_offset()
        if data_start is None and group["data"].size:
            raise SegmentDamaged(path, "raw_images/data should lie in one piece")
        places = _ImagePlaces(
            data_start or 0,
            np.asarray(group["offset"][:], np.int64),
            group["sha256"][:],
            np.asarray(group["image_id"][:], np.int64),
        )
    count = len(places.image_ids)
    if places.offsets.shape != (count + 1,) or places.sha256.shape != (count, 32):
        raise SegmentDamaged(path, "its columns should have one entry an image")
    if (np.diff(places.offsets, prepend=0) < 0).any():
        raise SegmentDamaged(path, "its offsets should rise from 0")
    if places.data_start + int(places.offsets[-1]) > state.size:
        raise SegmentDamaged(path, "images lie past its end")
    return places
