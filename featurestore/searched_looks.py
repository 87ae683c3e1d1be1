"""Keeps an index of looks current: a file that covers most of them, and those that came since."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featurestore.live_rows import (
    NO_IDS,
    IdsAndTimes,
    alive_rows,
    latest_rows,
    numbered_rows,
)
from featurestore.look_codes import FITTED_ROWS, LookCoder
from featurestore.look_index import LookIndex, LookPart
from featurestore.look_index_files import LookIndexFile, read_look_index, write_look_index
from featurestore.look_rows import LookRows, read_embeddings
from featurestore.look_space import LookSpace
from featurestore.looks import EMBEDDING_DIMENSIONS
from featurestore.mapped_columns import replace_index_file
from featurestore.model_features import CHANGED_SHARE, FEW_IMAGES, Deletions
from featurestore.segment_folder import SegmentFolder, contents_of, read_again

# The directions that looks differ in are found anew when a collection has grown so many times.
FITTED_AGAIN = 4
# Rows that are read and encoded at a time: 40 MB.
ROWS_AT_ONCE = 1 << 13


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
            made = read_again(lambda: self._made(*self._live(deletions[1])))
            replace_index_file(
                self._index_files.folder, lambda folder: write_look_index(folder, made)
            )
            return True

    def _files(self) -> dict[str, LookIndexFile | None]:
        return contents_of(self._index_files)[1]

    def _read(self) -> _Delta:
        """Look at the folders, and bring base and delta up to date."""
        usable = [
            file
            for file in self._files().values()
            if file is not None and file.space == self.space.name
        ]
        if usable and usable[-1] is not self._base:
            self._base, self._delta = usable[-1], None
        return read_again(self._renewed)

    def _renewed(self) -> _Delta:
        _, contents = contents_of(self._segments)
        if self._delta is None or self._delta.names != contents.keys():
            self._delta = self._delta_of(contents)
            self._changes += 1
        return self._delta

    def _delta_of(self, contents: Mapping[str, IdsAndTimes]) -> _Delta:
        """The delta of all segments: of the new ones only, where those known before are there."""
        delta = self._delta
        if delta is None or not delta.names <= contents.keys():
            delta = None
        known = frozenset[str]() if delta is None else delta.names
        added = {name: rows for name, rows in contents.items() if name not in known}
        ids, written_at, segment, row = numbered_rows(added.values())
        newest = latest_rows(ids, NO_IDS, written_at)
        if self._base is None and len(newest) + (len(delta.image_ids) if delta else 0) > FEW_IMAGES:
            # Too many to be kept as they are, and no worker has written an index file yet.
            self._base = self._made(*self._live(NO_IDS))
            delta = None
        if self._base is not None:
            newest = newest[~self._base.holds(ids[newest], written_at[newest])]
        paths = [self._segments.folder / name for name in added]
        looks = self._looks(paths, segment[newest], row[newest])
        fresh = _Delta(frozenset(contents), ids[newest], written_at[newest], looks)
        return fresh if delta is None else _joined(delta, fresh)

    def _looks(
        self, paths: list[Path], segment: NDArray[np.int64], row: NDArray[np.int64]
    ) -> NDArray[np.int8] | NDArray[np.float32]:
        """(n, k) codes, or looks themselves where there is no base, of rows of segments."""
        # Segment by segment, since embeddings are many times as large as what is kept of them.
        places = [np.flatnonzero(segment == number) for number in range(len(paths))]
        parts: list[NDArray[Any]] = [self._encoded(np.empty((0, EMBEDDING_DIMENSIONS), np.float16))]
        for path, chosen in zip(paths, places, strict=True):
            if len(chosen):
                parts.append(self._encoded(read_embeddings(path, row[chosen])))
        order = np.argsort(np.concatenate([NO_IDS, *places]))
        return np.concatenate(parts)[order]

    def _encoded(self, embedding: NDArray[np.float16]) -> NDArray[np.int8] | NDArray[np.float32]:
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
            held = base.holds(ids, written_at)
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
        ids, written_at, _, _ = numbered_rows(contents_of(self._segments)[1].values())
        live = latest_rows(ids, deleted, written_at)
        return ids[live], written_at[live]

    def _look_rows(self) -> LookRows:
        generation, contents = contents_of(self._segments)
        if self._rows[0] != generation:
            folder = self._segments.folder
            rows = LookRows({folder / name: content for name, content in contents.items()})
            self._rows = generation, rows
        return self._rows[1]

    def _embeddings(self, image_ids: NDArray[np.int64]) -> NDArray[np.float16]:
        def read() -> NDArray[np.float16]:
            with self._lock:
                rows = self._look_rows()
            return rows.read(image_ids)

        return read_again(read)

    def _index(self, delta: _Delta, hidden: NDArray[np.int64]) -> LookIndex:
        part = LookPart(delta.image_ids, alive_rows(delta.image_ids, hidden), delta.looks)
        base = self._base
        if base is None:
            return LookIndex(self.space, None, (part,), self._embeddings)
        alive = alive_rows(base.image_ids, hidden, delta.image_ids)
        parts = (LookPart(base.image_ids, alive, base.codes), part)
        return LookIndex(self.space, base.coder, parts, self._embeddings)


def _joined(delta: _Delta, fresh: _Delta) -> _Delta:
    ids = np.concatenate([delta.image_ids, fresh.image_ids])
    written_at = np.concatenate([delta.written_at, fresh.written_at])
    latest = latest_rows(ids, NO_IDS, written_at)
    looks = np.concatenate([delta.looks, fresh.looks])[latest]
    return _Delta(fresh.names, ids[latest], written_at[latest], looks)
