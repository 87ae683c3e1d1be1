"""Objects of all images, in packed columns sorted by class, so that a query reads only its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from featurestore import posting_kernels
from featurestore.packing import unpack_boxes, unpack_scores
from featurestore.posting_kernels import MAX_CLASS_ID, MOST_OBJECTS
from featurestore.segments import SENTENCE_DIMENSIONS, Features

Scalar = TypeVar("Scalar", bound=np.generic)

ALL_CLASS_IDS = np.arange(1, MAX_CLASS_ID + 1)


@dataclass(frozen=True)
class Objects:
    """Some objects: m parallel entries by class, then rising image row, then falling score."""

    image_rows: NDArray[np.int32]
    """(m,) rows of `Postings.image_ids`."""
    packed_scores: NDArray[np.uint16]
    """(m,) 0..1 as 0..65535."""
    packed_boxes: NDArray[np.uint16]
    """(4, m) xmin, ymin, xmax and ymax in the 300×300 frame, 0..300 as 0..65535."""

    def __len__(self) -> int:
        return len(self.image_rows)

    @property
    def scores(self) -> NDArray[np.float32]:
        """(m,) in 0..1, unpacked."""
        return unpack_scores(self.packed_scores)

    @property
    def boxes(self) -> NDArray[np.float32]:
        """(m, 4) xyxy in the 300×300 frame, unpacked."""
        return unpack_boxes(self.packed_boxes.T)


@dataclass(frozen=True)
class Postings:
    """n images with m objects, in plain arrays that may be mapped from a file; none is changed."""

    image_ids: NDArray[np.int64]
    """(n,) rising; a "row" is a place in this array."""
    written_at: NDArray[np.int64]
    """(n,) nanoseconds since 1970."""
    layout_weights: NDArray[np.float32]
    """(n,) Σ ⁴√area · score^1.5 over the objects of each image, with the frame's area as 1."""
    emptiness: NDArray[np.float64]
    """(n,) Π(1 - score) over the sure objects of each image: the probability that none is there."""
    sentence_vectors: NDArray[np.float32]
    """(n, 50)"""
    class_starts: NDArray[np.int64]
    """(92,) objects of class c lie at class_starts[c]:class_starts[c + 1]."""
    objects: Objects
    """All m objects."""

    def __post_init__(self) -> None:
        # Compiled functions are made for read-only arrays, as mapped ones are.
        for array in (
            self.image_ids,
            self.written_at,
            self.layout_weights,
            self.emptiness,
            self.sentence_vectors,
            *_arrays(self),
        ):
            array.flags.writeable = False

    @classmethod
    def of(cls, features: Features) -> Postings:
        """Index `features`, whose image ids must be unique."""
        return cls.of_objects(features.image_ids, features.ssd, features.nlp, features.written_at)

    @classmethod
    def of_objects(
        cls,
        image_ids: NDArray[np.int64],
        objects_by_image: NDArray[np.float32],
        sentence_vectors: NDArray[np.float32],
        written_at: NDArray[np.int64],
    ) -> Postings:
        """Index n images of unique ids.

        Args:
            objects_by_image: (n, k, 6) zero-padded; k is at most `MOST_OBJECTS`.
            sentence_vectors: (n, 50)
            written_at: (n,) nanoseconds since 1970.
        """
        order = np.argsort(image_ids, kind="stable")
        detections = np.ascontiguousarray(objects_by_image, np.float32)
        class_starts = posting_kernels.count_objects(detections)
        objects = _room_for(int(class_starts[-1]))
        posting_kernels.pack_objects(detections, order, class_starts, *_columns(objects))
        layout_weights, emptiness = np.zeros(len(order)), np.ones(len(order))
        posting_kernels.sum_images(*_columns(objects), layout_weights, emptiness)
        return cls(
            image_ids=image_ids[order],
            written_at=written_at[order],
            layout_weights=layout_weights.astype(np.float32),
            emptiness=emptiness,
            sentence_vectors=sentence_vectors[order],
            class_starts=class_starts,
            objects=objects,
        )

    def __len__(self) -> int:
        return len(self.image_ids)

    def of_class(self, class_id: int) -> Objects:
        """The objects of one class, without copying."""
        part = slice(self.class_starts[class_id], self.class_starts[class_id + 1])
        objects = self.objects
        return Objects(
            objects.image_rows[part], objects.packed_scores[part], objects.packed_boxes[:, part]
        )

    def detections_of(self, row: int) -> NDArray[np.float32]:
        """(k, 6) the objects of one image by falling score, without padding."""
        return self.objects_of(row, ALL_CLASS_IDS)

    def objects_of(self, row: int, class_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """(k, 6) the objects of one image that are of some classes, each class named once."""
        found = np.empty((MOST_OBJECTS, 6), np.float32)
        count = posting_kernels.find_objects(*_arrays(self), row, class_ids, found)
        return found[:count]

    def row_of(self, image_id: int) -> int | None:
        """The row of an image, or None when it has no features here."""
        row = int(np.searchsorted(self.image_ids, image_id))
        if row < len(self.image_ids) and self.image_ids[row] == image_id:
            return row
        return None


Part = tuple[Postings, NDArray[np.bool_]]
"""Postings and (n,) which of their images count."""


def merge_postings(parts: Sequence[Part]) -> Postings:
    """Postings of the images that count of several parts; none may count in two of them."""
    if not parts:
        return _without_images()
    # In pairs of about the same size, so that each object is copied few times.
    while len(parts) > 2:
        pairs = [parts[start : start + 2] for start in range(0, len(parts), 2)]
        merged = [_merged(*pair) if len(pair) == 2 else _all_of(*pair[0]) for pair in pairs]
        parts = [(postings, np.ones(len(postings), np.bool_)) for postings in merged]
    return _merged(*parts) if len(parts) == 2 else _all_of(*parts[0])


def _all_of(postings: Postings, counted: NDArray[np.bool_]) -> Postings:
    if counted.all():
        return postings
    return _merged((postings, counted), (_without_images(), np.empty(0, np.bool_)))


def _merged(left: Part, right: Part) -> Postings:
    (a, a_counted), (b, b_counted) = left, right
    ids = np.concatenate([a.image_ids[a_counted], b.image_ids[b_counted]])
    new_rows = np.empty(len(ids), np.int32)
    new_rows[np.argsort(ids, kind="stable")] = np.arange(len(ids), dtype=np.int32)
    a_rows, b_rows = np.split(new_rows, [np.count_nonzero(a_counted)])

    def column(of_a: NDArray[Scalar], of_b: NDArray[Scalar]) -> NDArray[Scalar]:
        merged = np.empty((len(ids), *of_a.shape[1:]), of_a.dtype)
        merged[a_rows] = of_a[a_counted]
        merged[b_rows] = of_b[b_counted]
        return merged

    sentence_vectors = np.empty((len(ids), SENTENCE_DIMENSIONS), np.float32)
    a_new_rows, b_new_rows = _spread(a_rows, a_counted), _spread(b_rows, b_counted)
    posting_kernels.copy_rows(a.sentence_vectors, a_new_rows, sentence_vectors)
    posting_kernels.copy_rows(b.sentence_vectors, b_new_rows, sentence_vectors)
    room = _room_for(len(a.objects) + len(b.objects))
    class_starts = posting_kernels.merge_objects(
        *_arrays(a), a_new_rows, *_arrays(b), b_new_rows, *_columns(room)
    )
    return Postings(
        image_ids=column(a.image_ids, b.image_ids),
        written_at=column(a.written_at, b.written_at),
        layout_weights=column(a.layout_weights, b.layout_weights),
        emptiness=column(a.emptiness, b.emptiness),
        sentence_vectors=sentence_vectors,
        class_starts=class_starts,
        objects=_first(room, int(class_starts[-1])),
    )


def _spread(rows: NDArray[np.int32], counted: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(n,) the new row of each image, -1 for those that do not count."""
    new_rows = np.full(len(counted), -1, np.int32)
    new_rows[counted] = rows
    return new_rows


def _without_images() -> Postings:
    return Postings.of(Features.concatenated([]))


def _room_for(count: int) -> Objects:
    return Objects(
        np.empty(count, np.int32), np.empty(count, np.uint16), np.empty((4, count), np.uint16)
    )


def _first(objects: Objects, count: int) -> Objects:
    if count == len(objects):
        return objects
    rows, scores, boxes = _columns(objects)
    return Objects(rows[:count].copy(), scores[:count].copy(), boxes[:, :count].copy())


def _columns(
    objects: Objects,
) -> tuple[NDArray[np.int32], NDArray[np.uint16], NDArray[np.uint16]]:
    return objects.image_rows, objects.packed_scores, objects.packed_boxes


def _arrays(
    postings: Postings,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.uint16], NDArray[np.uint16]]:
    """What compiled functions take of the objects."""
    return postings.class_starts, *_columns(postings.objects)
