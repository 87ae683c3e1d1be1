"""Immutable HDF5 files, each holding a batch of one kind: images, features, deletions or edits.

Group and dataset names of the first two are those of the original system.
`docs/featurestore-format.md` describes every dataset.
"""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.columns import (
    read_text_attribute,
    read_texts,
    write_column,
    write_text_attribute,
    write_texts,
)
from featurestore.durable import sha256_of, write_durably
from featurestore.errors import (
    DAMAGE_ERRORS,
    SegmentDamaged,
    SegmentUnavailable,
    StoreError,
    machine_errno,
)
from featurestore.hdf5_files import HDF5_LOCK, add_group, hdf5_content

FORMAT = "image-gallery-featurestore"
FORMAT_VERSION = 1

IMAGES = "images"
FEATURES = "features"
DELETIONS = "deletions"
EDITS = "edits"
INDEX = "index"

MAX_OBJECTS = 20
OBJECT_COLUMNS = 6
SENTENCE_DIMENSIONS = 50

# A segment's name holds this much of its SHA-256, so that any change of any byte shows.
DIGEST_LENGTH = 32

CHUNK_ROWS = 1024


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

    def with_data(self, data: bytes) -> StoredImage:
        """The image whole again."""
        return StoredImage(
            image_id=self.image_id,
            name=self.name,
            media_type=self.media_type,
            width=self.width,
            height=self.height,
            uploaded_at=self.uploaded_at,
            data=data,
        )


@dataclass(frozen=True)
class Edit:
    """What a person changed about an image; of several of one field the latest counts."""

    image_id: int
    field: str
    value: str
    """JSON."""
    edited_at: float
    """Seconds since 1970 in UTC."""


@dataclass(frozen=True)
class Features:
    """What one model found in n images."""

    image_ids: NDArray[np.int64]
    """(n,)"""
    ssd: NDArray[np.float32]
    """(n, 20, 6) rows of [class_id, score, xmin, ymin, xmax, ymax], falling score, zero-padded."""
    nlp: NDArray[np.float32]
    """(n, 50) sentence vectors."""
    written_at: NDArray[np.int64]
    """(n,) nanoseconds since 1970; of several rows of one image the latest counts."""

    def __post_init__(self) -> None:
        n = len(self.image_ids)
        for name, array, expected in (
            ("image_ids", self.image_ids, (n,)),
            ("ssd", self.ssd, (n, MAX_OBJECTS, OBJECT_COLUMNS)),
            ("nlp", self.nlp, (n, SENTENCE_DIMENSIONS)),
            ("written_at", self.written_at, (n,)),
        ):
            if array.shape != expected:
                raise ValueError(f"{name} should have shape {expected}, has {array.shape}")
        for name, array in (("ssd", self.ssd), ("nlp", self.nlp)):
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds values that are not finite")

    @classmethod
    def concatenated(cls, parts: Sequence[Features]) -> Features:
        """All rows of all parts, in their order."""
        empty = cls(
            image_ids=np.empty(0, np.int64),
            ssd=np.empty((0, MAX_OBJECTS, OBJECT_COLUMNS), np.float32),
            nlp=np.empty((0, SENTENCE_DIMENSIONS), np.float32),
            written_at=np.empty(0, np.int64),
        )
        parts = [empty, *parts]
        return cls(
            image_ids=np.concatenate([part.image_ids for part in parts]),
            ssd=np.concatenate([part.ssd for part in parts]),
            nlp=np.concatenate([part.nlp for part in parts]),
            written_at=np.concatenate([part.written_at for part in parts]),
        )

    def take(self, rows: NDArray[np.int64]) -> Features:
        """The features of some rows."""
        return Features(self.image_ids[rows], self.ssd[rows], self.nlp[rows], self.written_at[rows])


def write_images(
    folder: Path, images: Sequence[StoredImage], *, time_ns: int | None = None
) -> Path:
    """Durably write a new image segment into `folder`; returns its path.

    Args:
        time_ns: the time in its name, where that is not now (see `compaction`).
    """

    def fill(file: h5py.File) -> None:
        group = add_group(file, "raw_images")
        offsets = np.cumsum([0] + [len(image.data) for image in images], dtype=np.int64)
        total = int(offsets[-1])
        # In one piece, so that a photo can be read from its place in the file without HDF5.
        data = group.create_dataset("data", shape=(total,), dtype=np.uint8)
        for image, start in zip(images, offsets, strict=False):
            data[start : start + len(image.data)] = np.frombuffer(image.data, np.uint8)
        write_column(group, "offset", offsets)
        digests = b"".join(hashlib.sha256(image.data).digest() for image in images)
        write_column(group, "sha256", np.frombuffer(digests, np.uint8).reshape(-1, 32))
        for name, dtype in (
            ("image_id", np.int64),
            ("width", np.int32),
            ("height", np.int32),
            ("uploaded_at", np.float64),
        ):
            write_column(group, name, np.array([getattr(i, name) for i in images], dtype))
        write_texts(group, "name", [image.name for image in images])
        write_texts(group, "media_type", [image.media_type for image in images])

    return write_segment(folder, IMAGES, fill, time_ns=time_ns)


def write_features(
    folder: Path, model_id: str, features: Features, *, time_ns: int | None = None
) -> Path:
    """Durably write a new feature segment into `folder`; returns its path."""

    def fill(file: h5py.File) -> None:
        write_text_attribute(file, "model_id", model_id)
        for name, array in (
            ("ssd_feature_group", features.ssd),
            ("nlp_feature_group", features.nlp),
        ):
            group = add_group(file, name)
            write_column(group, "image_id", features.image_ids)
            write_column(group, "written_at", features.written_at)
            chunks = (min(len(array), CHUNK_ROWS), *array.shape[1:])
            group.create_dataset("features", data=array, chunks=chunks, fletcher32=True)

    return write_segment(folder, FEATURES, fill, time_ns=time_ns)


def write_deletions(
    folder: Path, image_ids: NDArray[np.int64], *, time_ns: int | None = None
) -> Path:
    """Durably write that these images are deleted; returns the segment's path."""

    def fill(file: h5py.File) -> None:
        write_column(file, "image_id", image_ids)

    return write_segment(folder, DELETIONS, fill, time_ns=time_ns)


def write_edits(folder: Path, edits: Sequence[Edit], *, time_ns: int | None = None) -> Path:
    """Durably write what people changed; returns the segment's path."""

    def fill(file: h5py.File) -> None:
        write_column(file, "image_id", np.array([edit.image_id for edit in edits], np.int64))
        write_column(file, "edited_at", np.array([edit.edited_at for edit in edits], np.float64))
        write_texts(file, "field", [edit.field for edit in edits])
        write_texts(file, "value", [edit.value for edit in edits])

    return write_segment(folder, EDITS, fill, time_ns=time_ns)


def read_edits(path: Path) -> list[Edit]:
    """All edits of a segment. Raises SegmentDamaged."""
    check_digest(path)
    with open_segment_file(path, EDITS) as file:
        columns = (
            file["image_id"][:].tolist(),
            read_texts(file["field"]),
            read_texts(file["value"]),
            file["edited_at"][:].tolist(),
        )
        return [Edit(*edit) for edit in zip(*columns, strict=True)]


def read_image_facts(path: Path) -> list[ImageFacts]:
    """Every image of a segment, without bytes. Raises SegmentDamaged."""
    with open_segment_file(path, IMAGES) as file:
        group = file["raw_images"]
        return [
            ImageFacts(*facts)
            for facts in zip(
                group["image_id"][:].tolist(),
                [digest.tobytes().hex() for digest in group["sha256"][:]],
                read_texts(group["name"]),
                read_texts(group["media_type"]),
                group["width"][:].tolist(),
                group["height"][:].tolist(),
                group["uploaded_at"][:].tolist(),
                np.diff(group["offset"][:]).tolist(),
                strict=True,
            )
        ]


def read_image_ids(path: Path) -> NDArray[np.int64]:
    """(n,) ids of an image segment, in row order. Raises SegmentDamaged."""
    with open_segment_file(path, IMAGES) as file:
        return np.asarray(file["raw_images/image_id"][:], np.int64)


def read_features(path: Path) -> Features:
    """All features of a segment. Raises SegmentDamaged."""
    with open_segment_file(path, FEATURES) as file:
        return Features(
            image_ids=np.asarray(file["ssd_feature_group/image_id"][:], np.int64),
            ssd=file["ssd_feature_group/features"][:],
            nlp=file["nlp_feature_group/features"][:],
            written_at=np.asarray(file["ssd_feature_group/written_at"][:], np.int64),
        )


def read_feature_rows(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) image ids and (n,) times of a feature segment, in row order. Raises SegmentDamaged."""
    with open_segment_file(path, FEATURES) as file:
        group = file["ssd_feature_group"]
        return np.asarray(group["image_id"][:], np.int64), np.asarray(
            group["written_at"][:], np.int64
        )


def read_deletions(path: Path) -> NDArray[np.int64]:
    """(n,) ids of deleted images. Raises SegmentDamaged."""
    # A deletion holds for ever, so HDF5's short checksums are not enough for it.
    check_digest(path)
    with open_segment_file(path, DELETIONS) as file:
        return np.asarray(file["image_id"][:], np.int64)


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
