"""All looks of one appearance model, read from its segments when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore import looks
from featurestore.live_rows import contains, latest_rows
from featurestore.looks import LookFeatures
from featurestore.segment_folder import SegmentFolder
from featurestore.segment_rows import SegmentRows, segment_rows

# Compaction can remove a segment while it is read, but hardly several times in a row.
READ_TRIES = 5


class ModelLooks:
    """Only ids and times are kept in memory: 16 bytes an image."""

    def __init__(
        self, folder: Path, model_id: str, deleted_ids: Callable[[], NDArray[np.int64]]
    ) -> None:
        self.model_id = model_id
        self.folder = SegmentFolder(folder, looks.read_look_rows)
        self._deleted_ids = deleted_ids

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
