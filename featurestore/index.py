"""What a search looks at: a base mapped from a file, and what was written since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.live_rows import contains
from featurestore.postings import MAX_CLASS_ID, Postings, merge_postings


@dataclass(frozen=True)
class IndexPart:
    """Postings some of whose rows no longer count: deleted, or written anew in a later part."""

    postings: Postings
    dead_rows: NDArray[np.int64]


@dataclass(frozen=True)
class Index:
    """All images with features of one model, at one moment.

    A "row" counts through the parts one after the other; dead rows keep their number.
    """

    parts: tuple[IndexPart, ...]

    def __len__(self) -> int:
        """How many images can be found."""
        return sum(len(part.postings) - len(part.dead_rows) for part in self.parts)

    @property
    def image_ids(self) -> NDArray[np.int64]:
        """(rows,) image id of each row."""
        return np.concatenate([part.postings.image_ids for part in self.parts])

    def scores(self, score: Callable[[Postings], NDArray[np.float32]]) -> NDArray[np.float32]:
        """(rows,) what a score function over postings gives, 0 for dead rows."""
        scores = []
        for part in self.parts:
            of_part = score(part.postings)
            of_part[part.dead_rows] = 0
            scores.append(of_part)
        return np.concatenate(scores)

    def image_id(self, row: int) -> int:
        part, row = self._locate(row)
        return int(part.postings.image_ids[row])

    def detections_of(self, row: int) -> NDArray[np.float32]:
        """(k, 6) objects of the image of a row, without padding."""
        part, row = self._locate(row)
        return part.postings.detections_of(row)

    def row_of(self, image_id: int) -> int | None:
        """The row of an image, or None when it has no features yet."""
        start = 0
        for part in self.parts:
            row = part.postings.row_of(image_id)
            if row is not None and row not in part.dead_rows:
                return start + row
            start += len(part.postings)
        return None

    def images_per_class(self, score_threshold: float) -> NDArray[np.int64]:
        """(91,) how many images hold an object of each class at or above the threshold."""
        counts = np.zeros(MAX_CLASS_ID + 1, np.int64)
        for part in self.parts:
            alive = np.ones(len(part.postings), np.bool_)
            alive[part.dead_rows] = False
            for class_id in range(1, MAX_CLASS_ID + 1):
                objects = part.postings.of_class(class_id)
                rows = objects.image_rows[objects.scores >= score_threshold]
                counts[class_id] += np.count_nonzero(alive[np.unique(rows)])
        return counts

    def completed_by(self, other: Index) -> Index:
        """This index, and from another the images that it has none of."""
        ids = [np.delete(part.postings.image_ids, part.dead_rows) for part in self.parts]
        known = np.sort(np.concatenate(ids))
        others = tuple(
            IndexPart(
                part.postings,
                np.union1d(
                    part.dead_rows, np.flatnonzero(contains(known, part.postings.image_ids))
                ),
            )
            for part in other.parts
        )
        return Index(self.parts + others)

    def merged(self) -> Postings:
        """All live rows as postings of their own."""
        return merge_postings([(part.postings, part.dead_rows) for part in self.parts])

    def _locate(self, row: int) -> tuple[IndexPart, int]:
        for part in self.parts:
            if row < len(part.postings):
                return part, row
            row -= len(part.postings)
        raise IndexError(f"row {row} is past the end of the index")
