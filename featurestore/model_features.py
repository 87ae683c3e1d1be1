"""All features of one model: its segments, and the index file that covers most of them."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore import segments
from featurestore.index import Index, IndexPart
from featurestore.index_files import IndexFile, read_index, write_index
from featurestore.live_rows import NO_IDS, IdsAndTimes, alive_rows, held_rows, latest_rows
from featurestore.mapped_columns import replace_index_file
from featurestore.postings import Postings, merge_postings
from featurestore.segment_folder import SegmentFolder, contents_by_path, contents_of
from featurestore.segments import Features

Deletions = tuple[int, NDArray[np.int64]]
"""A generation, and the rising ids that are deleted."""

# An index file is worth writing again when more than this share of its rows has changed, or lies in
# segments that it does not name, such as merged ones, which each process has to look through, ...
CHANGED_SHARE = 0.05
# ... but not for fewer images, which are read from their segments in no time, ...
FEW_IMAGES = 2000
# ... unless they lie in so many segments that opening those takes long.
MANY_SEGMENTS = 64


@dataclass(frozen=True)
class _Segment:
    """What the base leaves to be read from a segment."""

    rows: int
    """How many had to be looked at: none where the base names the segment."""
    postings: Postings | None
    """Those that the base does not hold, None where it holds all."""


@dataclass(frozen=True)
class _Delta:
    """What the base does not hold: the latest row of each image of some segments."""

    names: frozenset[str]
    """Of all segments that were looked at, those that the base covers among them."""
    postings: Postings


class ModelFeatures:
    """Reads an index file once and then only the segments that it does not cover."""

    def __init__(self, folder: Path, index_folder: Path) -> None:
        self._lock = threading.RLock()
        self._index_files = SegmentFolder(index_folder, read_index)
        self._base: IndexFile | None = None
        self.folder = SegmentFolder(folder, self._read_uncovered)
        self._delta = _Delta(frozenset(), merge_postings([]))
        self._cached: tuple[tuple[int, int, int], Index] | None = None

    def append(self, model_id: str, features: Features) -> None:
        """Store features durably."""
        self.folder.folder.mkdir(parents=True, exist_ok=True)
        segments.write_features(self.folder.folder, model_id, features)

    def index(self, deletions: Deletions) -> Index:
        """What a search looks at now."""
        with self._lock:
            version, _ = self._read(deletions[0])
            if self._cached is None or self._cached[0] != version:
                self._cached = version, self._index(deletions[1])
            return self._cached[1]

    def renew_index_file(self, deletions: Deletions) -> bool:
        """Write an index file that covers everything, where enough has changed."""
        with self._lock:
            # Of this one look at the folder: a segment that comes later must not seem covered.
            _, parts = self._read(deletions[0])
            index = self._index(deletions[1])
        changed = len(index.parts[-1].postings) + index.rows - len(index)
        looked_at = sum(part.rows for part in parts.values())
        enough = max(FEW_IMAGES, CHANGED_SHARE * len(index))
        opened = sum(part.rows > 0 for part in parts.values())
        if max(changed, looked_at) < enough and opened < MANY_SEGMENTS:
            return False
        merged, covers = index.merged(), frozenset(parts)
        replace_index_file(
            self._index_files.folder, lambda folder: write_index(folder, merged, covers)
        )
        return True

    def rows(self, without: Collection[Path] = ()) -> dict[Path, IdsAndTimes]:
        """Every row of each segment, covered or not, as if some segments were not there."""
        paths = contents_by_path(self.folder, without)
        return {path: segments.read_feature_rows(path) for path in paths}

    def _read(self, deletions: int) -> tuple[tuple[int, int, int], Mapping[str, _Segment]]:
        """Look at the folders, and bring the delta up to date."""
        generation, files = contents_of(self._index_files)
        usable = [file for file in files.values() if file is not None]
        newest = usable[-1] if usable else None
        if newest is not self._base:
            self._base = newest
            # Read anew what the new file leaves over; its own segments are not opened.
            self.folder = SegmentFolder(self.folder.folder, self._read_uncovered)
            self._delta = _Delta(frozenset(), merge_postings([]))
        features_generation, parts = contents_of(self.folder)
        if self._delta.names != parts.keys():
            self._delta = _renewed(self._delta, parts)
        return (deletions, generation, features_generation), parts

    def _read_uncovered(self, path: Path) -> _Segment:
        """The rows of a segment that the base does not hold.

        Features are some sixty times as large as ids and times, so they are read only where a row
        of them is needed: a merged segment has none that its sources did not have.
        """
        base = self._base
        if base is not None and path.name in base.covers:
            return _Segment(0, None)
        ids, written_at = segments.read_feature_rows(path)
        newest = latest_rows(ids, NO_IDS, written_at)
        if base is not None:
            held = (base.postings.image_ids, base.postings.written_at)
            newest = newest[~held_rows(held, (ids[newest], written_at[newest]))]
        if len(newest) == 0:
            return _Segment(len(ids), None)
        return _Segment(len(ids), Postings.of(segments.read_features(path).take(newest)))

    def _index(self, deleted: NDArray[np.int64]) -> Index:
        delta = self._delta.postings
        part = IndexPart(delta, alive_rows(delta.image_ids, deleted))
        if self._base is None:
            return Index((part,))
        base = self._base.postings
        alive = alive_rows(base.image_ids, deleted, delta.image_ids)
        return Index((IndexPart(base, alive, self._base.cooccurrence), part))


def _renewed(delta: _Delta, parts: Mapping[str, _Segment]) -> _Delta:
    """The delta of all parts: only of the new ones, where those that it is made of are there."""
    if delta.names <= parts.keys():
        added = [part.postings for name, part in parts.items() if name not in delta.names]
        found = [delta.postings, *added]
    else:
        found = [part.postings for part in parts.values()]
    uncovered = [part for part in found if part is not None and len(part)]
    return _Delta(
        frozenset(parts), merge_postings(list(zip(uncovered, _latest(uncovered), strict=True)))
    )


def _latest(parts: list[Postings]) -> list[NDArray[np.bool_]]:
    """For each part, which of its rows are the latest of their images."""
    ids = np.concatenate([NO_IDS, *(part.image_ids for part in parts)])
    written_at = np.concatenate([NO_IDS, *(part.written_at for part in parts)])
    latest = np.zeros(len(ids), np.bool_)
    latest[latest_rows(ids, NO_IDS, written_at)] = True
    stops = np.cumsum([len(part) for part in parts])
    return [latest[stop - len(part) : stop] for part, stop in zip(parts, stops, strict=True)]
