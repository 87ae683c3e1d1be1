"""Where each stored image lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featurestore.live_rows import latest_rows


@dataclass(frozen=True)
class Locations:
    """Where each stored image lies: parallel arrays sorted by image id."""

    image_ids: NDArray[np.int64]
    segment_numbers: NDArray[np.int64]
    rows: NDArray[np.int64]
    paths: list[Path]

    @classmethod
    def of(
        cls,
        ids_by_segment: Sequence[NDArray[np.int64]],
        paths: list[Path],
        deleted: NDArray[np.int64],
    ) -> Locations:
        """Those of the images of some segments, in order of writing, but for deleted ones."""
        counts = [len(ids) for ids in ids_by_segment]
        ids = np.concatenate([np.empty(0, np.int64), *ids_by_segment])
        segment_numbers = np.repeat(np.arange(len(counts)), counts)
        rows = np.concatenate([np.empty(0, np.int64), *map(np.arange, counts)])
        keep = latest_rows(ids, deleted)
        return cls(ids[keep], segment_numbers[keep], rows[keep], paths)

    def find(self, image_id: int) -> tuple[Path, int] | None:
        place = int(np.searchsorted(self.image_ids, image_id))
        if place == len(self.image_ids) or self.image_ids[place] != image_id:
            return None
        return self.paths[self.segment_numbers[place]], int(self.rows[place])
