"""Sets of photos that are alike and are to be offered, kept in mind while nothing changes."""

from __future__ import annotations

import threading
from itertools import chain
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db.models import Count, Sum
from numpy.typing import NDArray

from featurestore.live_rows import alive_rows
from gallery.duplicates.models import AlikePair
from gallery.models import Image

CHUNK = 10_000
# Of which gallery, how many pairs are offered, what their ids add up to, and what is in the trash.
_State = tuple[Path, int, int, bytes]
Sets = list[list[int]]


class _RememberedSets:
    """Reads the catalogue once for each state of it: a large one has a million pairs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[AlikePair.Kind, tuple[_State, Sets]] = {}

    def __call__(self, kind: AlikePair.Kind) -> Sets:
        """Ids of the photos of each set, the newest set first. Not to be changed."""
        pairs = AlikePair.objects.offered().filter(kind=kind).order_by()
        facts = pairs.aggregate(count=Count("pk"), ids=Sum("pk"))
        trashed = np.fromiter(
            Image.objects.trashed().order_by("pk").values_list("pk", flat=True), np.int64
        )
        state = settings.STORE_DIR, facts["count"], facts["ids"] or 0, trashed.tobytes()
        with self._lock:
            known = self._known.get(kind)
            if known is None or known[0] != state:
                rows = pairs.values_list("first_id", "second_id").iterator(CHUNK)
                found = np.fromiter(chain.from_iterable(rows), np.int64).reshape(-1, 2)
                self._known[kind] = known = state, _newest_first(found, trashed)
            return known[1]


def _newest_first(pairs: NDArray[np.int64], trashed: NDArray[np.int64]) -> Sets:
    ids, places = np.unique(pairs, return_inverse=True)
    both = alive_rows(ids, trashed)[places.reshape(-1, 2)].all(axis=1)
    return sorted(joined(pairs[both]), key=max, reverse=True)


def joined(pairs: NDArray[np.int64]) -> Sets:
    """Sets of all ids that (p, 2) pairs join, directly or through others, each rising."""
    if not len(pairs):
        return []
    # A third of a second and 35 MB, which only a gallery with duplicates is to pay for.
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids, places = np.unique(pairs, return_inverse=True)
    first, second = places.reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs), np.bool_), (first, second)), (len(ids), len(ids)))
    _, labels = connected_components(graph, directed=False)
    order = np.argsort(labels, kind="stable")
    stops = np.flatnonzero(np.diff(labels[order])) + 1
    return [some.tolist() for some in np.split(ids[order], stops)]


alike_ids = _RememberedSets()
