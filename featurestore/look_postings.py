"""What photos look like, in packed columns sorted by class, so that a query reads only its own."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from featurestore.compiled import compiled
from featurestore.live_rows import alive_rows, contains
from featurestore.looks import CLASSES, LookScores
from featurestore.packing import pack_scores, unpack_scores
from featurestore.posting_kernels import first_at
from featurestore.postings import Postings

# Postings that rows of looks are known in, beside one another: the parts of two indices or three.
KEPT_PLACES = 8


class LookRuns(NamedTuple):
    """The looks that a query asks for, in the rows of some postings: r runs with m entries.

    They are those of its l classes, in the query's order, as many times as the index has parts.
    """

    starts: NDArray[np.int64]
    """(r + 1,) entries of run i: starts[i]:starts[i + 1], by rising image row."""
    image_rows: NDArray[np.int32]
    """(m,)"""
    packed_scores: NDArray[np.uint16]
    """(m,) 0..1 as 0..65535."""


@dataclass(frozen=True)
class LookPostings:
    """The likeliest classes of n images, in arrays that may be mapped from a file."""

    image_ids: NDArray[np.int64]
    """(n,) rising"""
    written_at: NDArray[np.int64]
    """(n,) nanoseconds since 1970."""
    class_starts: NDArray[np.int64]
    """(1001,) entries of class c lie at class_starts[c]:class_starts[c + 1], by rising row."""
    rows: NDArray[np.int32]
    """(m,) rows of `image_ids`."""
    packed_scores: NDArray[np.uint16]
    """(m,) 0..1 as 0..65535."""
    alive: NDArray[np.bool_]
    """(n,) whether a row counts, or a later one of the same image does."""
    _places: list[tuple[weakref.ref[Postings], NDArray[np.int32]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        # Compiled functions are made for read-only arrays, as mapped ones are.
        for array in (self.class_starts, self.rows, self.packed_scores, self.alive):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.image_ids)

    @classmethod
    def of(cls, looks: LookScores) -> LookPostings:
        """Those of images with rising, unique ids."""
        kept = looks.class_ids.shape[1]
        classes = looks.class_ids.ravel()
        order = np.argsort(classes, kind="stable")
        return cls(
            image_ids=looks.image_ids,
            written_at=looks.written_at,
            class_starts=np.searchsorted(classes[order], np.arange(CLASSES + 1)).astype(np.int64),
            rows=(order // kept).astype(np.int32),
            packed_scores=pack_scores(looks.class_scores.ravel()[order]),
            alive=np.ones(len(looks.image_ids), np.bool_),
        )

    def without(self, *image_ids: NDArray[np.int64]) -> LookPostings:
        """The same where some images, by ids, do not count, or later rows of them do."""
        return replace(self, alive=alive_rows(self.image_ids, *image_ids))

    def places_in(self, postings: Postings) -> NDArray[np.int32]:
        """(n,) the row of each image in some postings, -1 where it has none."""
        for known, places in self._places:
            if known() is postings:
                return places
        found = np.full(len(self.image_ids), -1, np.int32)
        ids = postings.image_ids
        if len(ids) < len(self.image_ids):
            # Few images are quickly looked for among many, but not the other way round.
            held = np.flatnonzero(contains(self.image_ids, ids))
            found[np.searchsorted(self.image_ids, ids[held])] = held
        else:
            among = contains(ids, self.image_ids)
            found[among] = np.searchsorted(ids, self.image_ids[among])
        kept = [one for one in self._places if one[0]() is not None][: KEPT_PLACES - 1]
        self._places[:] = [(weakref.ref(postings), found), *kept]
        return found

    def runs(self, look_ids: NDArray[np.int64], places: NDArray[np.int32]) -> LookRuns:
        """The entries of some classes that count.

        Args:
            places: (n,) the number that each row gets, rising, or -1 to leave it out.
        """
        room = int((self.class_starts[look_ids + 1] - self.class_starts[look_ids]).sum())
        runs = LookRuns(
            starts=np.zeros(len(look_ids) + 1, np.int64),
            image_rows=np.empty(room, np.int32),
            packed_scores=np.empty(room, np.uint16),
        )
        count = gather(
            self.class_starts,
            self.rows,
            self.packed_scores,
            self.alive,
            places,
            look_ids,
            runs.starts[1:],
            runs.image_rows,
            runs.packed_scores,
        )
        return LookRuns(runs.starts, runs.image_rows[:count], runs.packed_scores[:count])

    def merged(self, later: LookPostings) -> LookPostings:
        """One of both, without rows that do not count; no image may count in both."""
        for one, other in ((self, later), (later, self)):
            if one.alive.all() and not other.alive.any():
                return one
        ids = np.concatenate([self.image_ids[self.alive], later.image_ids[later.alive]])
        times = np.concatenate([self.written_at[self.alive], later.written_at[later.alive]])
        order = np.argsort(ids, kind="stable")
        new_rows = np.empty(len(ids), np.int32)
        new_rows[order] = np.arange(len(ids), dtype=np.int32)
        of_each = np.split(new_rows, [np.count_nonzero(self.alive)])
        runs, keys = [], []
        for postings, rows in zip((self, later), of_each, strict=True):
            places = np.full(len(postings), -1, np.int32)
            places[postings.alive] = rows
            runs.append(postings.runs(np.arange(CLASSES), places))
            # By class, and within it by row.
            keys.append(np.repeat(np.arange(CLASSES) * len(ids), np.diff(runs[-1].starts)))
            keys[-1] += runs[-1].image_rows
        first, second = runs
        between = np.searchsorted(keys[0], keys[1])
        return LookPostings(
            image_ids=ids[order],
            written_at=times[order],
            class_starts=first.starts + second.starts,
            rows=np.insert(first.image_rows, between, second.image_rows),
            packed_scores=np.insert(first.packed_scores, between, second.packed_scores),
            alive=np.ones(len(ids), np.bool_),
        )


@dataclass(frozen=True)
class LookPostingsIndex:
    """What all photos look like: most of them in one part, later ones in another."""

    parts: tuple[LookPostings, ...] = ()

    def runs(self, look_ids: NDArray[np.int64], postings: Postings) -> LookRuns:
        """The entries of some classes in the rows of some postings."""
        # Most queries ask for none, and finding places takes a while.
        parts = self.parts if len(look_ids) else ()
        found = [part.runs(look_ids, part.places_in(postings)) for part in parts]
        if len(found) == 1:
            return found[0]
        starts, entries = [np.zeros(1, np.int64)], 0
        for runs in found:
            starts.append(entries + runs.starts[1:])
            entries += len(runs.image_rows)
        nothing = np.empty(0, np.int32)
        return LookRuns(
            np.concatenate(starts),
            np.concatenate([nothing, *(runs.image_rows for runs in found)]),
            np.concatenate([nothing.astype(np.uint16), *(runs.packed_scores for runs in found)]),
        )

    def scores_of(self, image_id: int, look_ids: NDArray[np.int64]) -> dict[int, float]:
        """How probably an image shows each of some classes, of those that are known of it."""
        for part in self.parts:
            row = int(np.searchsorted(part.image_ids, image_id))
            if row == len(part.image_ids) or part.image_ids[row] != image_id or not part.alive[row]:
                continue
            entries = np.empty(len(look_ids), np.int64)
            known = find(part.class_starts, part.rows, look_ids, row, entries)
            scores = unpack_scores(part.packed_scores[entries[known]])
            return dict(zip(look_ids[known].tolist(), scores.tolist(), strict=True))
        return {}

    def images_per_look(self, live_ids: NDArray[np.int64], least: float) -> NDArray[np.int64]:
        """(1000,) how many of some images, by rising ids, show each class at least so probably."""
        counts = np.zeros(CLASSES, np.int64)
        threshold = pack_scores(np.array([least], np.float32))[0]
        for part in self.parts:
            sure = np.flatnonzero(part.packed_scores >= threshold)
            rows = part.rows[sure]
            counted = part.alive[rows] & contains(live_ids, part.image_ids[rows])
            classes = np.searchsorted(part.class_starts, sure[counted], side="right") - 1
            counts += np.bincount(classes, minlength=CLASSES)[:CLASSES]
        return counts


@compiled
def find(
    class_starts: NDArray[np.int64],
    rows: NDArray[np.int32],
    look_ids: NDArray[np.int64],
    row: int,
    entries: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """(c,) which of some classes a row has an entry of; `entries` (c,) is written: where."""
    known = np.zeros(len(look_ids), np.bool_)
    for place in range(len(look_ids)):
        stop = class_starts[look_ids[place] + 1]
        entry = first_at(rows, class_starts[look_ids[place]], stop, row)
        known[place] = entry < stop and rows[entry] == row
        entries[place] = entry
    return known


@compiled
def gather(
    class_starts: NDArray[np.int64],
    rows: NDArray[np.int32],
    packed_scores: NDArray[np.uint16],
    alive: NDArray[np.bool_],
    places: NDArray[np.int32],
    look_ids: NDArray[np.int64],
    stops: NDArray[np.int64],
    found_rows: NDArray[np.int32],
    found_scores: NDArray[np.uint16],
) -> int:
    """Write entries of some classes, class by class, with other row numbers; returns how many.

    Args:
        alive: (n,) rows that count.
        places: (n,) the new number of each row, -1 to leave it out; rising otherwise.
        stops: (c,) is written: where the entries of each class end.
    """
    count = 0
    for place in range(len(look_ids)):
        for entry in range(class_starts[look_ids[place]], class_starts[look_ids[place] + 1]):
            row = places[rows[entry]]
            if row >= 0 and alive[rows[entry]]:
                found_rows[count] = row
                found_scores[count] = packed_scores[entry]
                count += 1
        stops[place] = count
    return count
