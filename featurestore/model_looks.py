"""All looks of one appearance model, read from its segments when they are asked for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore import looks
from featurestore.errors import SegmentDamaged, SegmentUnavailable
from featurestore.live_rows import contains, latest_rows
from featurestore.look_postings import LookPostings, LookPostingsIndex
from featurestore.looks import LookFeatures, LookScores
from featurestore.segment_folder import SegmentFolder
from featurestore.segment_rows import SegmentRows, segment_rows

logger = logging.getLogger(__name__)

# Compaction can remove a segment while it is read, but hardly several times in a row.
READ_TRIES = 5
# So many images may lie in the second part of an index of looks before all are brought together,
# or this share of them.
FEW_IMAGES = 2000
LATER_SHARE = 0.05


@dataclass(frozen=True)
class _Indexed:
    """An index and what it was made of."""

    generation: int
    """That of the folder."""
    first: frozenset[str]
    """The segments of its first part."""
    index: LookPostingsIndex


class ModelLooks:
    """Only ids and times are kept in memory: 16 bytes an image."""

    def __init__(
        self, folder: Path, model_id: str, deleted_ids: Callable[[], NDArray[np.int64]]
    ) -> None:
        self.model_id = model_id
        self.folder = SegmentFolder(folder, looks.read_look_rows)
        self._deleted_ids = deleted_ids
        self._lock = threading.Lock()
        self._indexed = _Indexed(-1, frozenset(), LookPostingsIndex())

    def append(self, added: LookFeatures) -> None:
        """Store looks durably. A later row for the same image replaces an earlier."""
        if len(added):
            self.folder.folder.mkdir(parents=True, exist_ok=True)
            looks.write_looks(self.folder.folder, self.model_id, added)

    def image_ids(self) -> NDArray[np.int64]:
        """(n,) ids of all images that have looks and are not deleted, rising."""
        _, ids, live = self._rows(())
        return ids[live]

    def read(self, image_ids: Collection[int] | None = None) -> LookFeatures:
        """Looks of all images, or of those among some that have any, by rising id.

        Raises SegmentDamaged, SegmentUnavailable.
        """
        for tries_left in reversed(range(READ_TRIES)):
            try:
                return self._read(image_ids)
            except FileNotFoundError:
                if not tries_left:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def index(self) -> LookPostingsIndex:
        """The likeliest classes of all images, those of deleted ones perhaps among them.

        It is the same object as long as nothing changes. What came since the last time is a part of
        its own, so that new photos are found at once, however many there are.
        """
        with self._lock:
            for tries_left in reversed(range(READ_TRIES)):
                try:
                    return self._renewed_index()
                except FileNotFoundError:
                    if not tries_left:
                        raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _renewed_index(self) -> LookPostingsIndex:
        generation, contents = self.folder.read() if self.folder.folder.is_dir() else (0, {})
        indexed = self._indexed
        if indexed.generation == generation:
            return indexed.index
        first = indexed.index.parts[:1]
        later = contents.keys() - indexed.first
        size = sum(len(contents[name][0]) for name in later)
        if (
            not first
            or not indexed.first <= contents.keys()
            or size > max(FEW_IMAGES, LATER_SHARE * len(first[0].image_ids))
        ):
            names = frozenset(contents)
            parts = [_postings(self.folder.folder, sorted(names))]
        else:
            names = indexed.first
            added = _postings(self.folder.folder, sorted(later))
            parts = [first[0].without(added.image_ids), added]
        self._indexed = _Indexed(
            generation,
            names,
            LookPostingsIndex(tuple(part for part in parts if len(part.image_ids))),
        )
        return self._indexed.index

    def segments(self, without: Collection[Path] = ()) -> list[SegmentRows]:
        """Segments with the rows that count, as if some segments were not there."""
        parts, ids, live = self._rows(without)
        counts = [count for _, count in parts]
        paths = [path for path, _ in parts]
        return segment_rows(paths, counts, live, contains(self._deleted_ids(), ids))

    def _read(self, image_ids: Collection[int] | None) -> LookFeatures:
        parts, ids, live = self._rows(())
        if image_ids is not None:
            live = live[contains(np.array(sorted(image_ids), np.int64), ids[live])]
        starts = np.cumsum([0, *(count for _, count in parts)])
        wanted = np.sort(live)
        found = []
        for (path, count), start in zip(parts, starts.tolist(), strict=False):
            first, stop = np.searchsorted(wanted, [start, start + count])
            if first < stop:
                found.append(looks.read_looks(path).take(wanted[first:stop] - start))
        everything = LookFeatures.concatenated(found)
        return everything.take(np.argsort(everything.image_ids))

    def _rows(
        self, without: Collection[Path]
    ) -> tuple[list[tuple[Path, int]], NDArray[np.int64], NDArray[np.int64]]:
        """(path, rows) of each segment, ids of all rows, and the rows that count by rising id."""
        folder = self.folder.folder
        contents = self.folder.read()[1] if folder.is_dir() else {}
        parts = {folder / name: rows for name, rows in contents.items()}
        parts = {path: rows for path, rows in parts.items() if path not in without}
        nothing = np.empty(0, np.int64)
        ids = np.concatenate([nothing, *(ids for ids, _ in parts.values())])
        written_at = np.concatenate([nothing, *(times for _, times in parts.values())])
        counts = [(path, len(ids)) for path, (ids, _) in parts.items()]
        return counts, ids, latest_rows(ids, self._deleted_ids(), written_at)


def _postings(folder: Path, names: Sequence[str]) -> LookPostings:
    """The latest looks of each image in some segments."""
    parts = []
    for name in names:
        try:
            parts.append(looks.read_look_scores(folder / name))
        except (SegmentDamaged, SegmentUnavailable) as error:
            # Words find less then, but they find.
            logger.error("What photos look like is left out of the search: %s", error)
    found = LookScores.concatenated(parts)
    nothing = np.empty(0, np.int64)
    return LookPostings.of(found.take(latest_rows(found.image_ids, nothing, found.written_at)))
