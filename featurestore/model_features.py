"""All features of one model: its segments, and the index file that covers most of them."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore import segments
from featurestore.durable import fsync_folder
from featurestore.index import Index, IndexPart
from featurestore.index_files import IndexFile, read_index, write_index
from featurestore.live_rows import contains, latest_rows
from featurestore.postings import Postings
from featurestore.segment_folder import SegmentFolder
from featurestore.segments import Features

Deletions = tuple[int, NDArray[np.int64]]
"""A generation, and the rising ids that are deleted."""

# An index file is worth writing again when more than this share of its rows has changed, ...
CHANGED_SHARE = 0.05
# ... but not for fewer images, which are read from their segments in no time, ...
FEW_IMAGES = 2000
# ... unless they lie in so many segments that opening those takes long.
MANY_SEGMENTS = 64


class ModelFeatures:
    """Reads an index file once and then only the segments that it does not cover."""

    def __init__(self, folder: Path, index_folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        index_folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._index_files = SegmentFolder(index_folder, read_index)
        self._base: IndexFile | None = None
        self.folder = SegmentFolder(folder, self._read_uncovered)
        self._cached: tuple[tuple[int, int, int], Index] | None = None

    def append(self, model_id: str, features: Features) -> None:
        """Store features durably."""
        segments.write_features(self.folder.folder, model_id, features)

    def index(self, deletions: Deletions) -> Index:
        """What a search looks at now."""
        with self._lock:
            version, base, parts = self._read(deletions[0])
            if self._cached is None or self._cached[0] != version:
                self._cached = version, _index(base, list(parts.values()), deletions[1])
            return self._cached[1]

    def renew_index_file(self, deletions: Deletions) -> bool:
        """Write an index file that covers everything, where enough has changed."""
        with self._lock:
            _, base, parts = self._read(deletions[0])
            # Of this one look at the folder: a segment that comes later must not seem covered.
            index = _index(base, list(parts.values()), deletions[1])
            older = list(self._index_files.read()[1])
        changed = len(index.parts[-1].postings) + sum(len(part.dead_rows) for part in index.parts)
        enough = max(FEW_IMAGES, CHANGED_SHARE * len(index))
        if changed < enough and sum(part is not None for part in parts.values()) < MANY_SEGMENTS:
            return False
        folder = self._index_files.folder
        written = write_index(folder, index.merged(), frozenset(parts))
        # More than the last one where a kill or another process came between these two lines.
        for path in [folder / name for name in older if name != written.name]:
            path.unlink(missing_ok=True)
        fsync_folder(folder)
        return True

    def rows(self) -> list[tuple[Path, NDArray[np.int64], NDArray[np.int64]]]:
        """(path, image ids, times) of each segment: every row, covered or not."""
        paths = [self.folder.folder / name for name in self.folder.read()[1]]
        return [(path, *segments.read_feature_rows(path)) for path in paths]

    def _read(
        self, deletions: int
    ) -> tuple[tuple[int, int, int], IndexFile | None, dict[str, Features | None]]:
        generation, files = self._index_files.read()
        usable = [file for file in files.values() if file is not None]
        newest = usable[-1] if usable else None
        if newest is not self._base:
            self._base = newest
            # Read anew what the new file leaves over; its own segments are not opened.
            self.folder = SegmentFolder(self.folder.folder, self._read_uncovered)
        features_generation, contents = self.folder.read()
        return (deletions, generation, features_generation), self._base, contents

    def _read_uncovered(self, path: Path) -> Features | None:
        """The rows of a segment that the base does not hold, None where it holds all."""
        base = self._base
        if base is None:
            return segments.read_features(path)
        if path.name in base.covers:
            return None
        features = segments.read_features(path)
        places = np.searchsorted(base.postings.image_ids, features.image_ids)
        known = contains(base.postings.image_ids, features.image_ids)
        newer = np.ones(len(places), np.bool_)
        newer[known] = base.postings.written_at[places[known]] < features.written_at[known]
        return features.take(np.flatnonzero(newer)) if newer.any() else None


def _index(
    base: IndexFile | None, parts: list[Features | None], deleted: NDArray[np.int64]
) -> Index:
    found = [part for part in parts if part is not None]
    ids = np.concatenate([np.empty(0, np.int64), *(part.image_ids for part in found)])
    written_at = np.concatenate([np.empty(0, np.int64), *(part.written_at for part in found)])
    rows = latest_rows(ids, deleted, written_at)
    delta = Postings.of(Features.concatenated(found).take(rows))
    nothing_dead = np.empty(0, np.int64)
    if base is None:
        return Index((IndexPart(delta, nothing_dead),))
    base_ids = base.postings.image_ids
    dead = contains(deleted, base_ids) | contains(delta.image_ids, base_ids)
    return Index((IndexPart(base.postings, np.flatnonzero(dead)), IndexPart(delta, nothing_dead)))
