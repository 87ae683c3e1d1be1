"""Segments of looks: how photos look as a whole, as an appearance model says.

They are a kind and a folder of their own, so that a store has them for all of its photos, for some
or for none. An image–text model, whose embeddings texts have as well, knows no classes, and has as
many dimensions as it pleases. `docs/featurestore-format.md` describes every dataset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from featurestore.columns import write_column, write_text_attribute
from featurestore.hdf5_files import add_group
from featurestore.segment_file import CHUNK_ROWS, open_segment_file, write_segment

LOOKS = "looks"
GROUP = "look_feature_group"

#: What ids of image–text models begin with.
IMAGE_TEXT_PREFIX = "clip-"
#: Of the appearance model.
EMBEDDING_DIMENSIONS = 1280
#: Classes that are kept of each photo, those it most probably shows.
KEPT_CLASSES = 5
CLASSES = 1000


@dataclass(frozen=True)
class LookFeatures:
    """What one appearance model says of n images."""

    image_ids: NDArray[np.int64]
    """(n,)"""
    embedding: NDArray[np.float16]
    """(n, d), where d is 1280 for the appearance model; the cosine of two says how alike two photos
    look."""
    class_ids: NDArray[np.int16]
    """(n, c) numbers of ImageNet's classes, 0 to 999, the most probable first; c is 5, or 0 of a
    model that knows no classes."""
    class_scores: NDArray[np.float32]
    """(n, c) their probabilities, 0..1, falling."""
    written_at: NDArray[np.int64]
    """(n,) nanoseconds since 1970; of several rows of one image the latest counts."""

    def __post_init__(self) -> None:
        n, classes = len(self.image_ids), self.class_ids.shape[-1]
        if classes not in (0, KEPT_CLASSES):
            raise ValueError(f"class_ids should have 0 or {KEPT_CLASSES} columns, has {classes}")
        for name, array, expected in (
            ("image_ids", self.image_ids, (n,)),
            ("embedding", self.embedding, (n, *self.embedding.shape[1:2])),
            ("class_ids", self.class_ids, (n, classes)),
            ("class_scores", self.class_scores, (n, classes)),
            ("written_at", self.written_at, (n,)),
        ):
            if array.shape != expected:
                raise ValueError(f"{name} should have shape {expected}, has {array.shape}")
        if not np.isfinite(self.embedding).all():
            raise ValueError("embedding holds values that are not finite")

    def __len__(self) -> int:
        return len(self.image_ids)

    @classmethod
    def of(
        cls,
        image_ids: Sequence[int],
        embedding: NDArray[np.float32],
        scores: NDArray[np.float32],
        written_at: int,
    ) -> LookFeatures:
        """What is kept of (n, d) embeddings and (n, 1000) probabilities, or (n, 0) of none."""
        best = np.argsort(-scores, axis=1, kind="stable")[:, :KEPT_CLASSES]
        return cls(
            image_ids=np.array(image_ids, np.int64),
            embedding=embedding.astype(np.float16),
            class_ids=best.astype(np.int16),
            class_scores=np.take_along_axis(scores, best, axis=1),
            written_at=np.full(len(image_ids), written_at, np.int64),
        )

    @classmethod
    def concatenated(cls, parts: Sequence[LookFeatures]) -> LookFeatures:
        """All rows of all parts of one model, in their order."""
        parts = parts or [_NONE]
        return cls(
            image_ids=np.concatenate([part.image_ids for part in parts]),
            embedding=np.concatenate([part.embedding for part in parts]),
            class_ids=np.concatenate([part.class_ids for part in parts]),
            class_scores=np.concatenate([part.class_scores for part in parts]),
            written_at=np.concatenate([part.written_at for part in parts]),
        )

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> LookFeatures:
        """Those of some rows."""
        return LookFeatures(
            self.image_ids[rows],
            self.embedding[rows],
            self.class_ids[rows],
            self.class_scores[rows],
            self.written_at[rows],
        )


@dataclass(frozen=True)
class LookScores:
    """The likeliest classes of n images, without their embeddings."""

    image_ids: NDArray[np.int64]
    """(n,)"""
    class_ids: NDArray[np.int16]
    """(n, 5)"""
    class_scores: NDArray[np.float32]
    """(n, 5)"""
    written_at: NDArray[np.int64]
    """(n,)"""

    def __len__(self) -> int:
        return len(self.image_ids)

    @classmethod
    def concatenated(cls, parts: Sequence[LookScores]) -> LookScores:
        """All rows of all parts, in their order."""
        nothing = cls(_NONE.image_ids, _NONE.class_ids, _NONE.class_scores, _NONE.written_at)
        parts = [nothing, *parts]
        return cls(
            np.concatenate([part.image_ids for part in parts]),
            np.concatenate([part.class_ids for part in parts]),
            np.concatenate([part.class_scores for part in parts]),
            np.concatenate([part.written_at for part in parts]),
        )

    def take(self, rows: NDArray[np.int64]) -> LookScores:
        """Those of some rows."""
        return LookScores(
            self.image_ids[rows],
            self.class_ids[rows],
            self.class_scores[rows],
            self.written_at[rows],
        )


_NONE = LookFeatures(
    image_ids=np.empty(0, np.int64),
    embedding=np.empty((0, EMBEDDING_DIMENSIONS), np.float16),
    class_ids=np.empty((0, KEPT_CLASSES), np.int16),
    class_scores=np.empty((0, KEPT_CLASSES), np.float32),
    written_at=np.empty(0, np.int64),
)


def write_looks(
    folder: Path, model_id: str, looks: LookFeatures, *, time_ns: int | None = None
) -> Path:
    """Durably write a new segment of looks into `folder`; returns its path."""

    def fill(file: h5py.File) -> None:
        write_text_attribute(file, "model_id", model_id)
        group = add_group(file, GROUP)
        write_column(group, "image_id", looks.image_ids)
        write_column(group, "written_at", looks.written_at)
        columns: list[tuple[str, NDArray[Any]]] = [("features", looks.embedding)]
        if looks.class_ids.shape[1]:
            columns += [("class_id", looks.class_ids), ("class_score", looks.class_scores)]
        for name, array in columns:
            chunks = (min(len(array), CHUNK_ROWS), *array.shape[1:])
            group.create_dataset(name, data=array, chunks=chunks, fletcher32=True)

    return write_segment(folder, LOOKS, fill, time_ns=time_ns)


def read_looks(path: Path) -> LookFeatures:
    """All looks of a segment. Raises SegmentDamaged."""
    with open_segment_file(path, LOOKS) as file:
        group = file[GROUP]
        class_ids, class_scores = read_classes(group, slice(None))
        return LookFeatures(
            image_ids=np.asarray(group["image_id"][:], np.int64),
            embedding=np.asarray(group["features"][:], np.float16),
            class_ids=class_ids,
            class_scores=class_scores,
            written_at=np.asarray(group["written_at"][:], np.int64),
        )


def read_look_scores(path: Path) -> LookScores:
    """The likeliest classes of a segment's images. Raises SegmentDamaged."""
    with open_segment_file(path, LOOKS) as file:
        group = file[GROUP]
        class_ids, class_scores = read_classes(group, slice(None))
        return LookScores(
            image_ids=np.asarray(group["image_id"][:], np.int64),
            class_ids=class_ids,
            class_scores=class_scores,
            written_at=np.asarray(group["written_at"][:], np.int64),
        )


def read_classes(group: h5py.Group, rows: slice) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """(n, c) classes and probabilities of some rows; without columns where the model has none."""
    if not knows_classes(group):
        n = len(range(*rows.indices(len(group["image_id"]))))
        return np.empty((n, 0), np.int16), np.empty((n, 0), np.float32)
    return (
        np.asarray(group["class_id"][rows], np.int16),
        np.asarray(group["class_score"][rows], np.float32),
    )


def knows_classes(group: h5py.Group) -> bool:
    """Whether the looks of a segment come with classes."""
    return "class_id" in group or "class_score" in group


def read_look_rows(path: Path) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) image ids and (n,) times of a segment, in row order. Raises SegmentDamaged."""
    with open_segment_file(path, LOOKS) as file:
        group = file[GROUP]
        return np.asarray(group["image_id"][:], np.int64), np.asarray(
            group["written_at"][:], np.int64
        )


def plausible_looks(
    embedding: NDArray[np.float16],
    class_ids: NDArray[np.int16],
    class_scores: NDArray[np.float32],
) -> NDArray[np.bool_]:
    """(n,) which rows an appearance model can have written."""
    with np.errstate(invalid="ignore"):
        right = [
            np.isfinite(embedding).all(1),
            ((class_ids >= 0) & (class_ids < CLASSES)).all(1),
            ((class_scores >= 0) & (class_scores <= 1)).all(1),
            (np.diff(class_scores, axis=1) <= 0).all(1),
        ]
    plausible: NDArray[np.bool_] = np.logical_and.reduce(right)
    return plausible
