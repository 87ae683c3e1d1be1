"""Objects of all images, in columns sorted by class, so that a query reads only its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.segments import Features

MAX_CLASS_ID = 90


@dataclass(frozen=True)
class Objects:
    """Some objects: m parallel entries, by class, then by rising image row."""

    image_rows: NDArray[np.int32]
    """(m,) rows of `Postings.image_ids`."""
    scores: NDArray[np.float32]
    """(m,) in 0..1."""
    boxes: NDArray[np.float32]
    """(m, 4) xyxy in the 300×300 frame."""


@dataclass(frozen=True)
class Postings:
    """n images with m objects; the arrays may be mapped from a file and are never changed."""

    image_ids: NDArray[np.int64]
    """(n,) rising; a "row" is a place in this array."""
    written_at: NDArray[np.int64]
    """(n,) nanoseconds since 1970."""
    sentence_vectors: NDArray[np.float32]
    """(n, 50)"""
    class_starts: NDArray[np.int64]
    """(92,) objects of class c lie at class_starts[c]:class_starts[c + 1]."""
    objects: Objects
    """All m objects."""
    image_starts: NDArray[np.int64]
    """(n + 1,) objects of row r are image_objects[image_starts[r]:image_starts[r + 1]]."""
    image_objects: NDArray[np.int32]
    """(m,) places in `objects`, by image row, then in the detector's order."""

    @classmethod
    def of(cls, features: Features) -> Postings:
        """Index `features`, whose image ids must be unique."""
        order = np.argsort(features.image_ids)
        detections = features.ssd[order]
        image_rows, places = np.nonzero(detections[:, :, 0] > 0)
        found = detections[image_rows, places]
        class_ids = found[:, 0].astype(np.int64)
        by_class = np.argsort(class_ids, kind="stable")
        image_objects = np.empty(len(by_class), np.int32)
        image_objects[by_class] = np.arange(len(by_class), dtype=np.int32)
        return cls(
            image_ids=features.image_ids[order],
            written_at=features.written_at[order],
            sentence_vectors=features.nlp[order],
            class_starts=np.searchsorted(class_ids[by_class], np.arange(MAX_CLASS_ID + 2)),
            objects=Objects(
                image_rows=image_rows[by_class].astype(np.int32),
                scores=found[by_class, 1],
                boxes=found[by_class, 2:6],
            ),
            image_starts=np.searchsorted(image_rows, np.arange(len(order) + 1)),
            image_objects=image_objects,
        )

    def __len__(self) -> int:
        return len(self.image_ids)

    def of_class(self, class_id: int) -> Objects:
        """The objects of one class, without copying."""
        part = slice(self.class_starts[class_id], self.class_starts[class_id + 1])
        return Objects(
            self.objects.image_rows[part], self.objects.scores[part], self.objects.boxes[part]
        )

    def detections_of(self, row: int) -> NDArray[np.float32]:
        """(k, 6) the objects of one image as the detector gave them, without padding."""
        places = self.image_objects[self.image_starts[row] : self.image_starts[row + 1]]
        detections = np.empty((len(places), 6), np.float32)
        detections[:, 0] = np.searchsorted(self.class_starts, places, side="right") - 1
        detections[:, 1] = self.objects.scores[places]
        detections[:, 2:] = self.objects.boxes[places]
        return detections

    def row_of(self, image_id: int) -> int | None:
        """The row of an image, or None when it has no features here."""
        row = int(np.searchsorted(self.image_ids, image_id))
        if row < len(self.image_ids) and self.image_ids[row] == image_id:
            return row
        return None


def merge_postings(parts: Sequence[tuple[Postings, NDArray[np.int64]]]) -> Postings:
    """Postings of several parts, each with rows to leave out; no image may live in two of them."""
    ids: list[NDArray[np.int64]] = []
    written_at, sentences = [], []
    class_ids, image_rows, scores, boxes, places = [], [], [], [], []
    for postings, dead_rows in parts:
        alive = np.ones(len(postings), np.bool_)
        alive[dead_rows] = False
        first_row = sum(len(part) for part in ids)
        new_rows = np.where(alive, first_row + np.cumsum(alive) - 1, -1)
        ids.append(postings.image_ids[alive])
        written_at.append(postings.written_at[alive])
        sentences.append(postings.sentence_vectors[alive])
        rows = new_rows[postings.objects.image_rows]
        keep = rows >= 0
        image_rows.append(rows[keep])
        class_counts = np.diff(postings.class_starts)
        class_ids.append(np.repeat(np.arange(MAX_CLASS_ID + 1), class_counts)[keep])
        scores.append(postings.objects.scores[keep])
        boxes.append(postings.objects.boxes[keep])
        places.append(_places_in_image(postings)[keep])
    all_ids = np.concatenate(ids)
    order = np.argsort(all_ids)
    new_row = np.empty(len(order), np.int32)
    new_row[order] = np.arange(len(order), dtype=np.int32)
    rows = new_row[np.concatenate(image_rows)]
    all_class_ids = np.concatenate(class_ids)
    by_class = np.lexsort((rows, all_class_ids))
    rows = rows[by_class]
    image_objects = np.lexsort((np.concatenate(places)[by_class], rows)).astype(np.int32)
    return Postings(
        image_ids=all_ids[order],
        written_at=np.concatenate(written_at)[order],
        sentence_vectors=np.concatenate(sentences)[order],
        class_starts=np.searchsorted(all_class_ids[by_class], np.arange(MAX_CLASS_ID + 2)),
        objects=Objects(
            image_rows=rows,
            scores=np.concatenate(scores)[by_class],
            boxes=np.concatenate(boxes)[by_class],
        ),
        image_starts=np.searchsorted(rows[image_objects], np.arange(len(order) + 1)),
        image_objects=image_objects,
    )


def _places_in_image(postings: Postings) -> NDArray[np.int64]:
    """(m,) the place of each object in its image, in the detector's order."""
    places = np.empty(len(postings.image_objects), np.int64)
    starts = np.repeat(postings.image_starts[:-1], np.diff(postings.image_starts))
    places[postings.image_objects] = np.arange(len(places)) - starts
    return places
