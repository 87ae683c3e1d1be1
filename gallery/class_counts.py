"""How many photos surely show each class, counted once for each state of the index."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from featurestore.index import Index
from featurestore.posting_kernels import SURE_SCORE


class ClassCounts:
    """Counts of the index that was asked for last, which stays the same while nothing changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: tuple[Index, Mapping[int, int]] | None = None
        self._last_looks: tuple[Index, Mapping[int, int]] | None = None

    def of(self, index: Index) -> Mapping[int, int]:
        """Photos by category id, of the classes that any photo shows."""
        last = self._last
        if last is not None and last[0] is index:
            return last[1]
        with self._lock:
            counts = index.images_per_class(SURE_SCORE).tolist()
            self._last = index, {class_id: count for class_id, count in enumerate(counts) if count}
            return self._last[1]

    def of_looks(self, index: Index) -> Mapping[int, int]:
        """Photos by the number of each look class that any photo surely looks like."""
        last = self._last_looks
        if last is not None and last[0] is index:
            return last[1]
        with self._lock:
            counts = index.images_per_look(SURE_SCORE).tolist()
            self._last_looks = index, {look: count for look, count in enumerate(counts) if count}
            return self._last_looks[1]


class_counts = ClassCounts()
