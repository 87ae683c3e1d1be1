"""How alike all photos look to one, by the rows of the index of objects; and both as one score."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.index import Index
from featurestore.live_rows import contains, places_of
from featurestore.look_index import LookIndex

Scores = NDArray[np.float32]
Rows = NDArray[np.int64] | slice

# Pairs of a part of one index and a part of the other whose rows are known.
KEPT_PAIRS = 8


class ComparedLooks:
    """Looks of all photos beside one: estimates, until those that matter are measured."""

    def __init__(
        self,
        index: Index,
        looks: LookIndex,
        vector: NDArray[np.float32],
        allowed: NDArray[np.bool_],
    ) -> None:
        """
        Args:
            vector: (d,) how the one looks.
            allowed: (rows,) photos of the index that count.
        """
        self._index, self._looks, self._vector = index, looks, vector
        self._has_look = np.zeros(index.rows, np.bool_)
        self.scores: Scores = np.zeros(index.rows, np.float32)
        """(rows,) 0..1, 0 for photos that do not count or have no look yet."""
        estimates = looks.space.scores(looks.estimates(vector))
        first_look = 0
        for look_part in looks.parts:
            for first, part in index.numbered_parts():
                ours, theirs = _same_images(part.postings.image_ids, look_part.image_ids)
                here = self.scores[first : first + len(part.postings)]
                # Of a look that was told anew the later part has the right one, which comes last.
                here[ours] = estimates[first_look : first_look + len(look_part.image_ids)][theirs]
                self._has_look[first : first + len(part.postings)][ours] = True
            first_look += len(look_part.image_ids)
        self.without_look = int(np.count_nonzero(index.alive & ~self._has_look))
        """Photos whose look is still to be told."""
        self.scores *= allowed
        self.best = 0.0
        """The score of the photo that looks most like it."""
        if len(self.scores) and self.scores.any():
            best = np.array([self.scores.argmax()])
            self.measure(best)
            self.best = float(self.scores[best[0]])

    def measure(self, rows: NDArray[np.int64]) -> None:
        """Replace estimates of some rows that count by what their looks themselves say."""
        rows = rows[self._has_look[rows]]
        if len(rows):
            ids = np.array([self._index.image_id(row) for row in rows.tolist()], np.int64)
            self.scores[rows] = self._looks.space.scores(self._looks.cosines(ids, self._vector))


@dataclass(frozen=True)
class Mixture:
    """A score of layouts and one of looks as a single score.

    Each is measured by the best that there is, or the one with the greater numbers would decide
    alone; the sum then lies between the two best. So at either end the score is the one alone,
    and between them nothing jumps.
    """

    weight: float
    """0 for layouts, 1 for looks."""
    layout: float
    """What layout scores are multiplied with."""
    look: float
    """What look scores are multiplied with."""

    @classmethod
    def of(cls, weight: float, best_look: float, layouts: Scores | None) -> Mixture:
        best_layout = 0.0 if layouts is None or not len(layouts) else float(layouts.max())
        if best_layout <= 0:
            return cls(1.0, 0.0, 1.0)
        if best_look <= 0:
            return cls(0.0, 1.0, 0.0)
        between = (1 - weight) * best_layout + weight * best_look
        return cls(weight, (1 - weight) * between / best_layout, weight * between / best_look)

    def scores(self, looks: Scores, layouts: Scores | None) -> Scores:
        """(rows,) 0..1"""
        if layouts is None:
            return looks
        mixed: Scores = np.float32(self.look) * looks + np.float32(self.layout) * layouts
        return mixed

    def between(self, of_layouts: float, of_looks: float) -> float:
        """A limit for these scores, from the limits of both kinds."""
        return (1 - self.weight) * of_layouts + self.weight * of_looks


_pairs: OrderedDict[tuple[int, int], tuple[object, object, Rows, Rows]] = OrderedDict()
_lock = threading.Lock()


def _same_images(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> tuple[Rows, Rows]:
    """Which rows of two rising arrays of ids are of the same images.

    The large parts of two indexes stay as they are while photos arrive, and are compared once.
    """
    key = id(ours), id(theirs)
    with _lock:
        known = _pairs.get(key)
        if known is not None:
            _pairs.move_to_end(key)
            return known[2:]
    found: tuple[Rows, Rows]
    if np.array_equal(ours, theirs):
        found = slice(None), slice(None)
    elif len(ours) > len(theirs):
        found = places_of(ours, theirs), np.flatnonzero(contains(ours, theirs))
    else:
        found = np.flatnonzero(contains(theirs, ours)), places_of(theirs, ours)
    with _lock:
        # The arrays are kept as well, so that no others take their numbers.
        _pairs[key] = ours, theirs, *found
        while len(_pairs) > KEPT_PAIRS:
            _pairs.popitem(last=False)
    return found
