"""The best rows of an index by their scores, without sorting all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled
from featurestore.index import Index

# Candidates are gathered in so much room at least before the best of them are kept.
ROOM = 4096


@dataclass(frozen=True)
class Ranking:
    """One page of rows, and how many there are on all pages."""

    rows: NDArray[np.int64]
    """(k,) best first; of equal scores the newest image, that of the highest id, comes first."""
    scores: NDArray[np.float32]
    """(k,) falling."""
    total: int
    """Rows that reach the cut-off."""
    hidden: int
    """Rows that only reach the floor."""


def best_rows(
    index: Index,
    scores: NDArray[np.float32],
    *,
    limit: int,
    offset: int = 0,
    cut_off: float,
    floor: float = 0.0,
) -> Ranking:
    """The `limit` best rows after the `offset` best ones.

    Args:
        scores: (rows,) at least 0, as `Index.scores` gives them.
        cut_off: above 0; rows with lower scores are no hits ...
        floor: ... but those from here on are counted; 0 for none.
    """
    cut = np.float32(cut_off)
    total, reaching = _count(scores, cut, np.float32(floor))
    wanted = min(offset + limit, total)
    rows, ids = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for first, part in index.numbered_parts():
        of_part = best_of(scores[first : first + len(part.postings)], wanted, cut)
        rows.append(first + of_part)
        ids.append(part.postings.image_ids[of_part])
    candidates = np.concatenate(rows)
    best_first = np.lexsort((-np.concatenate(ids), -scores[candidates]))
    page = candidates[best_first[offset:wanted]]
    hidden = reaching - total if floor > 0 else 0
    return Ranking(rows=page, scores=scores[page], total=total, hidden=hidden)


def best_of(scores: NDArray[np.float32], wanted: int, cut: np.float32) -> NDArray[np.int64]:
    """(k,) at most `wanted` rows in no order: the best, of equal scores the last."""
    keys = np.empty(max(2 * wanted, ROOM), np.int64)
    row, count = len(scores), 0
    # Whatever comes later has to be better than this.
    worst = np.nextafter(cut, np.float32(0))
    while True:
        row, count = _gather(scores, row, worst, keys, count)
        if count > wanted:
            keys[:wanted] = np.partition(keys[:count], count - wanted)[count - wanted :]
            count = wanted
            if wanted:
                worst = np.array([keys[:wanted].min() >> 32], np.int32).view(np.float32)[0]
        if row == 0 or wanted == 0:
            rows: NDArray[np.int64] = keys[:count] & 0xFFFFFFFF
            return rows


@compiled
def _count(scores: NDArray[np.float32], cut: np.float32, floor: np.float32) -> tuple[int, int]:
    """How many scores reach each of two limits."""
    of_cut, of_floor = 0, 0
    for row in range(len(scores)):
        of_cut += scores[row] >= cut
        of_floor += scores[row] >= floor
    return of_cut, of_floor


@compiled
def _gather(
    scores: NDArray[np.float32], row: int, worst: np.float32, keys: NDArray[np.int64], count: int
) -> tuple[int, int]:
    """Add rows before `row` that are better than the worst, from the last on, while there is room.

    A key orders by score, then by row: the bits of numbers from 0 on rise with them. Returns the
    row to go on before, and how many keys there are.
    """
    bits = scores.view(np.int32)
    while row > 0 and count < len(keys):
        row -= 1
        if scores[row] > worst:
            keys[count] = (np.int64(bits[row]) << 32) | row
            count += 1
    return row, count
