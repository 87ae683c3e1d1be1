"""Keeps an index of looks current: a file that covers most of them, and those that came since."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore.durable import fsync_folder
from featurestore.live_rows import alive_rows, contains, latest_rows
from featurestore.look_codes import FITTED_ROWS, LookCoder
from featurestore.look_index import LookIndex, LookPart
from featurestore.look_index_files import LookIndexFile, read_look_index, write_look_index
from featurestore.look_rows import LookRows, read_embeddings
from featurestore.look_space import LookSpace
from featurestore.looks import EMBEDDING_DIMENSIONS
from featurestore.model_features import CHANGED_SHARE, FEW_IMAGES, Deletions
from featurestore.segment_folder import SegmentFolder

IdsAndTimes = tuple[NDArray[np.int64], NDArray[np.int64]]

# Compaction can remove a segment while it is read, but hardly several times in a row.
READ_TRIES = 5
# The directions that looks differ in are found anew when a collection has grown so many times.
FITTED_AGAIN = 4
# Rows that are read and encoded at a time: 40 MB.
ROWS_AT_ONCE = 1 << 13
_NO_IDS = np.empty(0, np.int64)


@dataclass(frozen=True)
class _Delta:
    """Rows of some segments that the base does not hold, the latest of each image."""

    names: frozenset[str]
    image_ids: NDArray[np.int64]
    written_at: NDArray[np.int64]
    looks: NDArray[np.int8] | NDArray[np.float32]


class SearchedLooks:
    """An index of one model's looks in one space."""

    def __init__(
        self, segments: SegmentFolder[IdsAndTimes], index_folder: Path, space: LookSpace
    ) -> None:
        self.space = space
        self._segments = segments
        self._index_files = SegmentFolder(index_folder, read_look_index)
        self._lock = threading.RLock()
        self._base: LookIndexFile | None = None
        self._delta: _Delta | None = None
        self._rows: tuple[int, LookRows] = (-1, LookRows({}))
        self._changes = 0
        self._cached: tuple[tuple[int, int], LookIndex] | None = None

    def index(self, deletions: Deletions) -> LookIndex:
        """What a search goes through now. Raises SegmentDamaged, SegmentUnavailable."""
        with self._lock:
            delta = self._read()
            version = (deletions[0], self._changes)
            if self._cached is None or self._cached[0] != version:
                self._cached = version, self._index(delta, deletions[1])
            return self._cached[1]

    def renew_file(self, deletions: Deletions) -> bool:
        """Write an index file that covers everything, where enough has changed.

        Raises SegmentDamaged, SegmentUnavailable, OSError (a full disk).
        """
        with self._lock:
            index = self.index(deletions)
            files = self._files()
            changed = len(index.image_ids) - len(index) + len(self._read().image_ids)
            on_disk = any(file is self._base for file in files.values())
            if len(index) < FEW_IMAGES:
                return False
            if on_disk and changed < max(FEW_IMAGES, CHANGED_SHARE * len(index)):
                return False
            ids, written_at = self._live(deletions[1])
            folder = self._index_files.folder
            folder.mkdir(parents=True, exist_ok=True)
            written = write_look_index(folder, self._made(ids, written_at))
            for name in files:
                if name != written.name:
                    (folder / name).unlink(missing_ok=True)
            fsync_folder(folder)
            return True

    def _files(self) -> dict[str, LookIndexFile | None]:
        return self._index_files.read()[1] if self._index_files.folder.is_dir() else {}

    def _contents(self) -> tuple[int, dict[str, IdsAndTimes]]:
        return self._segments.read() if self._segments.folder.is_dir() else (0, {})

    def _read(self) -> _Delta:
        """Look at the folders, and bring base and delta up to date."""
        usable = [
            file
            for file in self._files().values()
            if file is not None and file.space == self.space.name
        ]
        if usable and usable[-1] is not self._base:
            self._base, self._delta = usable[-1], None
        for tries_left in reversed(range(READ_TRIES)):
            _, contents = self._contents()
            if self._delta is not None and self._delta.names == contents.keys():
                return self._delta
            try:
                self._delta = self._renewed(contents)
                self._changes += 1
            except FileNotFoundError:
                if not tries_left:
                    raise
        assert self._delta is not None
        return self._delta

    def _renewed(self, contents: Mapping[str, IdsAndTimes]) -> _Delta:
        """The delta of all segments: of the new ones only, where those known before are there."""
        delta = self._delta
        if delta is None or not delta.names <= contents.keys():
            delta = None
        known = frozenset[str]() if delta is None else delta.names
        added = {name: rows for name, rows in contents.items() if name not in known}
        ids, written_at, segment, row = _numbered(added)
        newest = latest_rows(ids, _NO_IDS, written_at)
        if self._base is None and len(newest) + (len(delta.image_ids) if delta else 0) > FEW_IMAGES:
            # Too many to be kept as they are, and no worker has written an index file yet.
            self._base = self._made(*self._live(_NO_IDS))
            delta = None
        if self._base is not None:
            newest = newest[~_holds(self._base, ids[newest], written_at[newest])]
        paths = [self._segments.folder / name for name in added]
        looks = self._looks(paths, segment[newest], row[newest])
        fresh = _Delta(frozenset(contents), ids[newest], written_at[newest], looks)
        return fresh if delta is None else _joined(delta, fresh)

    def _looks(
        self, paths: list[Path], segment: NDArray[np.int64], row: NDArray[np.int64]
    ) -> NDArray[np.int8] | NDArray[np.float32]:
        """(n, k) codes, or looks themselves where there is no base, of rows of segments."""
        embedding = np.zeros((len(row), EMBEDDING_DIMENSIONS), np.float16)
        for number, path in enumerate(paths):
            chosen = np.flatnonzero(segment == number)
            if len(chosen):
                embedding[chosen] = read_embeddings(path, row[chosen])
        vectors = self.space.vectors(embedding)
        return vectors if self._base is None else self._base.coder.codes(vectors)

    def _made(self, ids: NDArray[np.int64], written_at: NDArray[np.int64]) -> LookIndexFile:
        """An index of the latest rows of rising ids, with what codes there are already."""
        base = self._base
        held = np.zeros(len(ids), np.bool_)
        if base is None or len(ids) > FITTED_AGAIN * base.fitted_rows:
            step = max(1, len(ids) // FITTED_ROWS)
            sample = self._look_rows().read(ids[::step][:FITTED_ROWS])
            coder, fitted = LookCoder.fitted(self.space.vectors(sample)), len(ids)
        else:
            coder, fitted = base.coder, base.fitted_rows
            held = _holds(base, ids, written_at)
        codes = np.empty((len(ids), coder.basis.shape[1]), np.int8)
        if base is not None and held.any():
            codes[held] = base.codes[np.searchsorted(base.image_ids, ids[held])]
        missing = np.flatnonzero(~held)
        for start in range(0, len(missing), ROWS_AT_ONCE):
            rows = missing[start : start + ROWS_AT_ONCE]
            codes[rows] = coder.codes(self.space.vectors(self._look_rows().read(ids[rows])))
        return LookIndexFile(self.space.name, fitted, coder, ids, written_at, codes)

    def _live(self, deleted: NDArray[np.int64]) -> IdsAndTimes:
        """Rising ids of all images that are not deleted, and times of their latest rows."""
        ids, written_at, _, _ = _numbered(self._contents()[1])
        live = latest_rows(ids, deleted, written_at)
        return ids[live], written_at[live]

    def _look_rows(self) -> LookRows:
        generation, contents = self._contents()
        if self._rows[0] != generation:
            folder = self._segments.folder
            rows = LookRows({folder / name: content for name, content in contents.items()})
            self._rows = generation, rows
        return self._rows[1]

    def _embeddings(self, image_ids: NDArray[np.int64]) -> NDArray[np.float16]:
        for tries_left in reversed(range(READ_TRIES)):
            try:
                with self._lock:
                    rows = self._look_rows()
                return rows.read(image_ids)
            except FileNotFoundError:
                if not tries_left:
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _index(self, delta: _Delta, hidden: NDArray[np.int64]) -> LookIndex:
        part = LookPart(delta.image_ids, alive_rows(delta.image_ids, hidden), delta.looks)
        base = self._base
        if base is None:
            return LookIndex(self.space, None, (part,), self._embeddings)
        alive = alive_rows(base.image_ids, hidden, delta.image_ids)
        parts = (LookPart(base.image_ids, alive, base.codes), part)
        return LookIndex(self.space, base.coder, parts, self._embeddings)


def _numbered(
    contents: Mapping[str, IdsAndTimes],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of all rows of some segments: image id, time, number of the segment, and row in it."""
    counts = [len(ids) for ids, _ in contents.values()]
    return (
        np.concatenate([_NO_IDS, *(ids for ids, _ in contents.values())]),
        np.concatenate([_NO_IDS, *(times for _, times in contents.values())]),
        np.repeat(np.arange(len(counts)), counts),
        np.concatenate([_NO_IDS, *map(np.arange, counts)]),
    )


def _holds(
    base: LookIndexFile, rising_ids: NDArray[np.int64], written_at: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(n,) of which of n images the base has looks that are as new as these."""
    held = contains(base.image_ids, rising_ids)
    places = np.searchsorted(base.image_ids, rising_ids[held])
    held[held] = base.written_at[places] >= written_at[held]
    return held


def _joined(delta: _Delta, fresh: _Delta) -> _Delta:
    ids = np.concatenate([delta.image_ids, fresh.image_ids])
    written_at = np.concatenate([delta.written_at, fresh.written_at])
    latest = latest_rows(ids, _NO_IDS, written_at)
    looks = np.concatenate([delta.looks, fresh.looks])[latest]
    return _Delta(fresh.names, ids[latest], written_at[latest], looks)
