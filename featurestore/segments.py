"""Segments by kind, each a batch of rows: images, features, deletions or edits.

Group and dataset names of the first two are those of the original system.
`docs/featurestore-format.md` describes every dataset.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.columns import read_texts, write_column, write_text_attribute, write_texts
from featurestore.hdf5_files import add_group
from featurestore.segment_file import CHUNK_ROWS, check_digest, open_segment_file, write_segment

IMAGES = "images"
FEATURES = "features"
DELETIONS = "deletions"
EDITS = "edits"
INDEX = "index"

MAX_OBJECTS = 20
OBJECT_COLUMNS = 6
SENTENCE_DIMENSIONS = 50


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
