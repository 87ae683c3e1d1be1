"""Objects of all images, in columns sorted by class, so that a query reads only its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.segments import Features

MAX_CLASS_ID = 90


@dataclass(frozen=True)
class Objects:
    """The objects of one class: m parallel entries, by rising image row."""

    image_rows: NDArray[np.int32]
    """(m,) rows of `Postings.image_ids`."""
    scores: NDArray[np.float32]
    """(m,) in 0..1."""
    boxes: NDArray[np.float32]
    """(m, 4) xyxy in the 300×300 frame."""


@dataclass(frozen=True)
class Postings:
    """A searchable, immutable index of n images with m objects."""

    image_ids: NDArray[np.int64]
    """(n,) rising; a "row" is a place in this array."""
    detections: NDArray[np.float32]
    """(n, 20, 6) as the detector gave them."""
    sentence_vectors: NDArray[np.float32]
    """(n, 50)"""
    class_starts: NDArray[np.int64]
    """(92,) objects of class c lie at class_starts[c]:class_starts[c + 1]."""
    objects: Objects
    """All m objects, by class, then by image row."""

    @classmethod
    def of(cls, features: Features) -> Postings:
        """Index `features`, whose image ids must be unique."""
        order = np.argsort(features.image_ids)
        detections = features.ssd[order]
        image_rows, places = np.nonzero(detections[:, :, 0] > 0)
        found = detections[image_rows, places]
        class_ids = found[:, 0].astype(np.int64)
        by_class = np.argsort(class_ids, kind="stable")
        return cls(
            image_ids=features.image_ids[order],
            detections=detections,
            sentence_vectors=features.nlp[order],
            class_starts=np.searchsorted(class_ids[by_class], np.arange(MAX_CLASS_ID + 2)),
            objects=Objects(
                image_rows=image_rows[by_class].astype(np.int32),
                scores=found[by_class, 1],
                boxes=found[by_class, 2:6],
            ),
        )

    def __len__(self) -> int:
        return len(self.image_ids)

    def of_class(self, class_id: int) -> Objects:
        """The objects of one class, without copying."""
        part = slice(self.class_starts[class_id], self.class_starts[class_id + 1])
        return Objects(
            self.objects.image_rows[part], self.objects.scores[part], self.objects.boxes[part]
        )

    def row_of(self, image_id: int) -> int | None:
        """The row of an image, or None when it has no features yet."""
        row = int(np.searchsorted(self.image_ids, image_id))
        if row < len(self.image_ids) and self.image_ids[row] == image_id:
            return row
        return None

    def images_per_class(self, score_threshold: float) -> NDArray[np.int64]:
        """(91,) how many images hold an object of each class at or above the threshold."""
        counts = np.zeros(MAX_CLASS_ID + 1, np.int64)
        for class_id in range(1, MAX_CLASS_ID + 1):
            of_class = self.of_class(class_id)
            sure = of_class.scores >= score_threshold
            counts[class_id] = len(np.unique(of_class.image_rows[sure]))
        return counts
