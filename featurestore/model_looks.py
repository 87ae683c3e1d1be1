"""All looks of one appearance model, read from its segments when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore import looks
from featurestore.live_rows import contains, latest_rows, numbered_rows
from featurestore.look_postings import LookPostingsIndex
from featurestore.looks import LookFeatures
from featurestore.named_looks import NamedLooks
from featurestore.segment_folder import SegmentFolder, contents_by_path, read_again
from featurestore.segment_rows import SegmentRows, segment_rows


class ModelLooks:
    """Only ids and times are kept in memory: 16 bytes an image."""

    def __init__(
        self,
        folder: Path,
        index_folder: Path,
        model_id: str,
        deleted_ids: Callable[[], NDArray[np.int64]],
    ) -> None:
        self.model_id = model_id
        self.folder = SegmentFolder(folder, looks.read_look_rows)
        self._deleted_ids = deleted_ids
        self._named = NamedLooks(self.folder, index_folder)

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
        return read_again(lambda: self._read(image_ids))

    def index(self) -> LookPostingsIndex:
        """The likeliest classes of all images, those of deleted ones perhaps among them.

        It is the same object as long as nothing changes. What came since the last time is a part of
        its own, so that new photos are found at once, however many there are.
        """
        return self._named.index()

    def renew_index_file(self) -> bool:
        """Write the file of that index anew where enough has changed; whether it did."""
        return self._named.renew_file()

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
        parts = contents_by_path(self.folder, without)
        ids, written_at, _, _ = numbered_rows(parts.values())
        counts = [(path, len(ids)) for path, (ids, _) in parts.items()]
        return counts, ids, latest_rows(ids, self._deleted_ids(), written_at)
