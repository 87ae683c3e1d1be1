"""Immutable HDF5 files, each holding a batch of one kind: images, features or deletions.

Group and dataset names of the first two are those of the original system.
`docs/featurestore-format.md` describes every dataset.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.durable import write_durably_named
from featurestore.errors import ImageDamaged, SegmentDamaged

FORMAT = "image-gallery-featurestore"
FORMAT_VERSION = 1

IMAGES = "images"
FEATURES = "features"
DELETIONS = "deletions"

MAX_OBJECTS = 20
OBJECT_COLUMNS = 6
SENTENCE_DIMENSIONS = 50

# A segment's name holds this much of its SHA-256, so that any change of any byte shows.
DIGEST_LENGTH = 32

# A read of one image fetches and checks whole chunks, so a chunk is about one small photo.
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class StoredImage:
    """An original, byte for byte, and what a catalogue is rebuilt from."""

    image_id: int
    name: str
    media_type: str
    width: int
    """Pixels, as seen upright."""
    height: int
    """Pixels, as seen upright."""
    uploaded_at: float
    """Seconds since 1970 in UTC."""
    data: bytes


@dataclass(frozen=True)
class ImageFacts:
    """A stored image without its bytes."""

    image_id: int
    sha256: str
    name: str
    media_type: str
    width: int
    height: int
    uploaded_at: float
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Features:
    """What one model found in n images."""

    image_ids: NDArray[np.int64]
    """(n,)"""
    ssd: NDArray[np.float32]
    """(n, 20, 6) rows of [class_id, score, xmin, ymin, xmax, ymax], falling score, zero-padded."""
    nlp: NDArray[np.float32]
    """(n, 50) sentence vectors."""

    def __post_init__(self) -> None:
        n = len(self.image_ids)
        for name, array, expected in (
            ("image_ids", self.image_ids, (n,)),
            ("ssd", self.ssd, (n, MAX_OBJECTS, OBJECT_COLUMNS)),
            ("nlp", self.nlp, (n, SENTENCE_DIMENSIONS)),
        ):
            if array.shape != expected:
                raise ValueError(f"{name} should have shape {expected}, has {array.shape}")
        for name, array in (("ssd", self.ssd), ("nlp", self.nlp)):
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds values that are not finite")


def write_images(folder: Path, images: Sequence[StoredImage]) -> Path:
    """Durably write a new image segment into `folder`; returns its path."""

    def write(path: Path) -> None:
        with _create(path, IMAGES) as file:
            group = file.create_group("raw_images")
            offsets = np.cumsum([0] + [len(image.data) for image in images], dtype=np.int64)
            total = int(offsets[-1])
            data = group.create_dataset(
                "data",
                shape=(total,),
                dtype=np.uint8,
                chunks=(max(1, min(total, CHUNK_BYTES)),),
                fletcher32=True,
            )
            for image, start in zip(images, offsets, strict=False):
                data[start : start + len(image.data)] = np.frombuffer(image.data, np.uint8)
            group["offset"] = offsets
            group["image_id"] = np.array([image.image_id for image in images], np.int64)
            digests = b"".join(hashlib.sha256(image.data).digest() for image in images)
            group["sha256"] = np.frombuffer(digests, np.uint8).reshape(-1, 32)
            group["width"] = np.array([image.width for image in images], np.int32)
            group["height"] = np.array([image.height for image in images], np.int32)
            group["uploaded_at"] = np.array([image.uploaded_at for image in images], np.float64)
            text = h5py.string_dtype("utf-8")
            group.create_dataset("name", data=[image.name for image in images], dtype=text)
            group.create_dataset(
                "media_type", data=[image.media_type for image in images], dtype=text
            )

    return _write_segment(folder, write)


def write_features(folder: Path, model_id: str, features: Features) -> Path:
    """Durably write a new feature segment into `folder`; returns its path."""

    def write(path: Path) -> None:
        with _create(path, FEATURES) as file:
            file.attrs["model_id"] = model_id
            for name, array in (
                ("ssd_feature_group", features.ssd),
                ("nlp_feature_group", features.nlp),
            ):
                group = file.create_group(name)
                group["image_id"] = features.image_ids
                group.create_dataset("features", data=array, chunks=array.shape, fletcher32=True)

    return _write_segment(folder, write)


def write_deletions(folder: Path, image_ids: NDArray[np.int64]) -> Path:
    """Durably write that these images are deleted; returns the segment's path."""

    def write(path: Path) -> None:
        with _create(path, DELETIONS) as file:
            file["image_id"] = image_ids

    return _write_segment(folder, write)


def read_image_facts(path: Path) -> list[ImageFacts]:
    """Every image of a segment, without bytes. Raises SegmentDamaged."""
    with _open(path, IMAGES) as file:
        group = file["raw_images"]
        return [
            ImageFacts(*facts)
            for facts in zip(
                group["image_id"][:].tolist(),
                [digest.tobytes().hex() for digest in group["sha256"][:]],
                group["name"].asstr()[:],
                group["media_type"].asstr()[:],
                group["width"][:].tolist(),
                group["height"][:].tolist(),
                group["uploaded_at"][:].tolist(),
                np.diff(group["offset"][:]).tolist(),
                strict=True,
            )
        ]


def read_image_ids(path: Path) -> NDArray[np.int64]:
    """(n,) ids of an image segment, in row order. Raises SegmentDamaged."""
    with _open(path, IMAGES) as file:
        return np.asarray(file["raw_images/image_id"][:], np.int64)


def read_image_bytes(path: Path, row: int) -> bytes:
    """The original bytes of one row. Raises SegmentDamaged, or ImageDamaged on a wrong SHA-256."""
    with _open(path, IMAGES) as file:
        group = file["raw_images"]
        start, stop = (int(offset) for offset in group["offset"][row : row + 2])
        data: bytes = group["data"][start:stop].tobytes()
        if hashlib.sha256(data).digest() != group["sha256"][row].tobytes():
            raise ImageDamaged(int(group["image_id"][row]), path)
        return data


def read_features(path: Path) -> Features:
    """All features of a segment. Raises SegmentDamaged."""
    with _open(path, FEATURES) as file:
        return Features(
            image_ids=np.asarray(file["ssd_feature_group/image_id"][:], np.int64),
            ssd=file["ssd_feature_group/features"][:],
            nlp=file["nlp_feature_group/features"][:],
        )


def read_deletions(path: Path) -> NDArray[np.int64]:
    """(n,) ids of deleted images. Raises SegmentDamaged."""
    with _open(path, DELETIONS) as file:
        return np.asarray(file["image_id"][:], np.int64)


def _write_segment(folder: Path, write: Callable[[Path], None]) -> Path:
    return write_durably_named(folder, write, _segment_name)


def _segment_name(path: Path) -> str:
    """The time, which keeps a folder listing in the order of writing, and the file's digest."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{time.time_ns():016x}-{digest[:DIGEST_LENGTH]}.h5"


def _create(path: Path, kind: str) -> h5py.File:
    # v110 can be read by every HDF5 since 1.10 and by older h5py, pandas and MATLAB releases.
    file = h5py.File(path, "x", libver=("v110", "v110"))
    file.attrs["format"] = FORMAT
    file.attrs["format_version"] = FORMAT_VERSION
    file.attrs["kind"] = kind
    return file


@contextmanager
def _open(path: Path, kind: str) -> Iterator[h5py.File]:
    try:
        # Segments never change, so a lock would only keep them off read-only and network disks.
        with h5py.File(path, "r", locking=False) as file:
            found = (file.attrs.get("format"), file.attrs.get("kind"))
            if found != (FORMAT, kind):
                raise SegmentDamaged(path, f"expected {(FORMAT, kind)}, found {found}")
            if int(file.attrs["format_version"]) > FORMAT_VERSION:
                raise SegmentDamaged(path, "it was written by a newer Image Gallery")
            yield file
    except (OSError, KeyError, RuntimeError, ValueError) as error:
        if isinstance(error, SegmentDamaged | ImageDamaged | FileNotFoundError):
            raise
        raise SegmentDamaged(path, str(error)) from error
