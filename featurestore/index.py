"""What a search looks at: a base mapped from a file, and what was written since."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from featurestore import posting_counts
from featurestore.live_rows import alive_rows, contains, places_of
from featurestore.look_postings import LookPostingsIndex
from featurestore.packing import pack_scores
from featurestore.posting_kernels import MAX_CLASS_ID
from featurestore.postings import Postings, merge_postings

NO_LOOKS = LookPostingsIndex()


@dataclass(frozen=True)
class IndexPart:
    """Postings some of whose rows no longer count: deleted, or written anew in a later part."""

    postings: Postings
    alive: NDArray[np.bool_]
    """(n,) whether each row counts."""
    cooccurrence: NDArray[np.float64] | None = None
    """(91, 91) of all rows, alive or not, where it is known already."""

    @classmethod
    def of(cls, postings: Postings) -> IndexPart:
        """A part all of whose rows count."""
        return cls(postings, np.ones(len(postings), np.bool_))

    @cached_property
    def live_count(self) -> int:
        """How many rows count."""
        return int(np.count_nonzero(self.alive))

    @property
    def live_ids(self) -> NDArray[np.int64]:
        """(k,) image ids of the rows that count, rising."""
        return self.postings.image_ids[self.alive]


@dataclass(frozen=True)
class Index:
    """All images with features of one model, at one moment.

    A "row" counts through the parts one after the other; dead rows keep their number. No image is
    alive in two parts.
    """

    parts: tuple[IndexPart, ...]
    looks: LookPostingsIndex = NO_LOOKS
    """What the photos look like as a whole, of those of which that is known."""

    def __len__(self) -> int:
        """How many images can be found."""
        return sum(part.live_count for part in self.parts)

    @property
    def rows(self) -> int:
        """How many rows there are, dead ones among them."""
        return sum(len(part.postings) for part in self.parts)

    @property
    def image_ids(self) -> NDArray[np.int64]:
        """(rows,) image id of each row."""
        ids = [part.postings.image_ids for part in self.parts]
        return np.concatenate([np.empty(0, np.int64), *ids])

    @property
    def live_ids(self) -> NDArray[np.int64]:
        """(len,) ids of all images that can be found, part by part."""
        return np.concatenate([np.empty(0, np.int64), *(part.live_ids for part in self.parts)])

    @cached_property
    def alive(self) -> NDArray[np.bool_]:
        """(rows,) which rows count."""
        return np.concatenate([np.empty(0, np.bool_), *(part.alive for part in self.parts)])

    def numbered_parts(self) -> Iterator[tuple[int, IndexPart]]:
        """Each part with the number of its first row."""
        first = 0
        for part in self.parts:
            yield first, part
            first += len(part.postings)

    def scores(self, score: Callable[[Postings], NDArray[np.float32]]) -> NDArray[np.float32]:
        """(rows,) what a score function over postings gives, 0 for dead rows."""
        scores = np.zeros(self.rows, np.float32)
        for first, part in self.numbered_parts():
            of_part = scores[first : first + len(part.postings)]
            if part.live_count == len(part.postings) == self.rows:
                # The one large part of a gallery at rest: a million scores need not be copied.
                return score(part.postings)
            if part.live_count:
                np.multiply(score(part.postings), part.alive, out=of_part)
        return scores

    def image_id(self, row: int) -> int:
        part, row = self._locate(row)
        return int(part.postings.image_ids[row])

    def detections_of(self, row: int) -> NDArray[np.float32]:
        """(k, 6) objects of the image of a row by falling score, without padding."""
        part, row = self._locate(row)
        return part.postings.detections_of(row)

    def objects_of(self, row: int, class_ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """(k, 6) those objects of the image of a row that are of some classes."""
        part, row = self._locate(row)
        return part.postings.objects_of(row, class_ids)

    def looks_of(self, row: int, look_ids: NDArray[np.int64]) -> dict[int, float]:
        """How probably the photo of a row shows each of some look classes, where that is known."""
        return self.looks.scores_of(self.image_id(row), look_ids) if len(look_ids) else {}

    def images_per_look(self, least: float) -> NDArray[np.int64]:
        """(1000,) how many images look like each class at least so probably."""
        return self.looks.images_per_look(np.sort(self.live_ids, kind="stable"), least)

    def layout_weight_of(self, row: int) -> float:
        """`Postings.layout_weights` of the image of a row."""
        part, row = self._locate(row)
        return float(part.postings.layout_weights[row])

    def row_of(self, image_id: int) -> int | None:
        """The row of an image, or None when it has no features yet."""
        for first, part in self.numbered_parts():
            row = part.postings.row_of(image_id)
            if row is not None and part.alive[row]:
                return first + row
        return None

    def rows_among(self, image_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(rows,) which rows are those of some rising image ids, dead rows among them."""
        among = np.zeros(self.rows, np.bool_)
        for first, part in self.numbered_parts():
            among[first + places_of(part.postings.image_ids, image_ids)] = True
        return among

    def images_per_class(
        self, score_threshold: float, *, among: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """(91,) how many images hold an object of each class at or above the threshold.

        Args:
            among: (k,) rising ids of the images that count; all where None.
        """
        threshold = int(pack_scores(np.array([score_threshold], np.float32))[0])
        counts = np.zeros(MAX_CLASS_ID + 1, np.int64)
        for part in self.parts:
            alive = part.alive
            if among is not None:
                alive = alive & contains(among, part.postings.image_ids)
            counts += posting_counts.images_per_class(part.postings, alive, threshold)
        return counts

    def images_with_both(
        self, class_ids: NDArray[np.int64], score_threshold: float
    ) -> NDArray[np.int64]:
        """(k, k) how many images hold objects of both of two of k classes, as sure as that."""
        threshold = int(pack_scores(np.array([score_threshold], np.float32))[0])
        counts = np.zeros((len(class_ids), len(class_ids)), np.int64)
        for part in self.parts:
            counts += posting_counts.images_with_both(
                part.postings, part.alive, threshold, class_ids
            )
        return counts

    @cached_property
    def cooccurrence(self) -> NDArray[np.float64]:
        """(91, 91) Σ over images of P(a) · P(b), where P is the probability that a class is there.

        Object scores are probabilities: P(a) = 1 - Π(1 - score) over the objects of class a. On the
        diagonal lies Σ P(a)².
        """
        sums = np.zeros((MAX_CLASS_ID + 1, MAX_CLASS_ID + 1))
        for part in self.parts:
            if part.cooccurrence is None:
                sums += posting_counts.cooccurrence(part.postings, part.alive)
            elif part.live_count == len(part.postings):
                sums += part.cooccurrence
            else:
                sums += part.cooccurrence
                sums -= posting_counts.cooccurrence(part.postings, ~part.alive)
        # Sums of many rounded numbers may differ by a hair more than nothing.
        np.maximum(sums, 0, out=sums)
        # All searches share it.
        sums.flags.writeable = False
        return sums

    def completed_by(self, other: Index) -> Index:
        """This index, and from another the images that it has none of."""
        # Ids of each part rise already, which this kind of sorting makes use of.
        known = np.sort(self.live_ids, kind="stable")
        parts = list(self.parts)
        for part in other.parts:
            alive = part.alive & alive_rows(part.postings.image_ids, known)
            if alive.any():
                parts.append(IndexPart(part.postings, alive, part.cooccurrence))
        return Index(tuple(parts))

    def merged(self) -> Postings:
        """All live rows as postings of their own."""
        return merge_postings([(part.postings, part.alive) for part in self.parts])

    def _locate(self, row: int) -> tuple[IndexPart, int]:
        for part in self.parts:
            if row < len(part.postings):
                return part, row
            row -= len(part.postings)
        raise IndexError(f"row {row} is past the end of the index")
