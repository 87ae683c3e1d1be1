"""Keeps the classes that photos look like current: a file of most photos, and what came since."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from featurestore.errors import SegmentDamaged, SegmentUnavailable
from featurestore.live_rows import (
    NO_IDS,
    IdsAndTimes,
    contains,
    held_rows,
    latest_rows,
    numbered_rows,
)
from featurestore.look_postings import LookPostings, LookPostingsIndex
from featurestore.look_postings_files import read_look_postings, write_look_postings
from featurestore.looks import LookScores, read_look_scores
from featurestore.mapped_columns import replace_index_file
from featurestore.model_features import CHANGED_SHARE, FEW_IMAGES
from featurestore.segment_folder import SegmentFolder, contents_of, read_again

logger = logging.getLogger(__name__)

# What came since may be this share of the rest before a process brings both together in memory of
# its own. A worker has renewed the file long before.
LATER_SHARE = 0.2

NOTHING = LookScores.concatenated([])
NO_POSTINGS = LookPostings.of(NOTHING)


@dataclass(frozen=True)
class _Known:
    """What some segments hold."""

    file: LookPostings | None
    """The newest index file."""
    names: frozenset[str]
    """Of the segments."""
    base: LookPostings
    """Most of it: of the file, or brought together in memory where there is none or it is old."""
    later: LookScores
    """What the base does not hold, the latest row of each image, by rising id."""
    index: LookPostingsIndex
    """Both."""


class NamedLooks:
    """The likeliest classes of all photos of one model."""

    def __init__(self, segments: SegmentFolder[IdsAndTimes], index_folder: Path) -> None:
        self._segments = segments
        self._index_files = SegmentFolder(index_folder, read_look_postings)
        self._lock = threading.RLock()
        self._known = _Known(None, frozenset(), NO_POSTINGS, NOTHING, LookPostingsIndex())

    def index(self) -> LookPostingsIndex:
        """What a search goes through now; the same object as long as nothing changes."""
        with self._lock:
            self._known = read_again(self._renewed)
            return self._known.index

    def renew_file(self) -> bool:
        """Write an index file that covers everything, where enough has changed; whether it did.

        Raises OSError (a full disk).
        """
        with self._lock:
            self.index()
            known = self._known
            # Deleted images leave it when compaction takes them out of the segments: a row that is
            # in a segment and not in the file would be read by each process.
            ids = np.unique(numbered_rows(contents_of(self._segments)[1].values())[0])
            gone = known.base.image_ids[~contains(ids, known.base.image_ids)]
            base = known.base.without(known.later.image_ids, gone)
            kept = np.count_nonzero(base.alive)
            changed, live = len(base) - kept + len(known.later), kept + len(known.later)
            if live < FEW_IMAGES:
                return False
            files = contents_of(self._index_files)[1].values()
            on_disk = any(file is known.base for file in files)
            if on_disk and changed < max(FEW_IMAGES, CHANGED_SHARE * live):
                return False
            everything = base.merged(LookPostings.of(known.later))
            replace_index_file(
                self._index_files.folder, lambda folder: write_look_postings(folder, everything)
            )
            return True

    def _renewed(self) -> _Known:
        """Look at the folders, and read what came since the last time."""
        known = self._known
        files = [file for file in contents_of(self._index_files)[1].values() if file is not None]
        contents = contents_of(self._segments)[1]
        if files and files[-1] is not known.file:
            known = _Known(files[-1], frozenset(), files[-1], NOTHING, known.index)
        elif known.names == contents.keys():
            return known
        elif not known.names <= contents.keys():
            # What was brought together in memory may have held rows of what is gone.
            known = _Known(known.file, frozenset(), known.file or NO_POSTINGS, NOTHING, known.index)
        base = known.base
        added = {name: rows for name, rows in contents.items() if name not in known.names}
        later = _latest([known.later, *self._missing(base, added)])
        if len(later) > (max(FEW_IMAGES, LATER_SHARE * len(base)) if len(base) else 0):
            base = base.without(later.image_ids).merged(LookPostings.of(later))
            later = NOTHING
        parts = (base.without(later.image_ids), LookPostings.of(later))
        index = LookPostingsIndex(tuple(part for part in parts if len(part)))
        return _Known(known.file, frozenset(contents), base, later, index)

    def _missing(self, base: LookPostings, segments: Mapping[str, IdsAndTimes]) -> list[LookScores]:
        """Rows of some segments that a base does not hold; other segments are not opened."""
        found = []
        for name, of_segment in segments.items():
            rows = np.flatnonzero(~held_rows((base.image_ids, base.written_at), of_segment))
            if len(rows) == 0:
                continue
            try:
                found.append(read_look_scores(self._segments.folder / name).take(rows))
            except (SegmentDamaged, SegmentUnavailable) as error:
                # Words find less then, but they find.
                logger.error("What photos look like is left out of the search: %s", error)
        return found


def _latest(parts: list[LookScores]) -> LookScores:
    """The latest row of each image, by rising id."""
    found = LookScores.concatenated(parts)
    return found.take(latest_rows(found.image_ids, NO_IDS, found.written_at))
