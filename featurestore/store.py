"""The feature store: originals and features in immutable segments, the truth about every photo.

Any number of processes may append, delete and read at once: each writes files of its own,
and sees those of the others at its next read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from featurestore import segments
from featurestore.durable import sweep_unfinished
from featurestore.errors import ImageNotStored, SegmentDamaged
from featurestore.postings import Postings
from featurestore.segment_folder import SegmentFolder
from featurestore.segments import Features, ImageFacts, StoredImage

T = TypeVar("T")

# A writer holds a segment unfinished for well under a second a batch; an hour is surely a dead one.
ABANDONED_SECONDS = 3600.0


@dataclass(frozen=True)
class _Locations:
    """Where each stored image lies: parallel arrays sorted by image id."""

    image_ids: NDArray[np.int64]
    segment_numbers: NDArray[np.int64]
    rows: NDArray[np.int64]
    paths: list[Path]

    def find(self, image_id: int) -> tuple[Path, int] | None:
        place = int(np.searchsorted(self.image_ids, image_id))
        if place == len(self.image_ids) or self.image_ids[place] != image_id:
            return None
        return self.paths[self.segment_numbers[place]], int(self.rows[place])


class FeatureStore:
    """All images and features below one folder.

    Image ids are positive and never used again after a deletion, so a deletion holds for ever
    and an append that comes late cannot bring an image back.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.RLock()
        self._images = self._segment_folder("images", segments.read_image_ids)
        self._deletions = self._segment_folder("deletions", segments.read_deletions)
        self._features: dict[str, SegmentFolder[Features]] = {}
        self._deleted: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))
        self._locations: tuple[tuple[int, int], _Locations] | None = None
        self._postings: dict[str, tuple[tuple[int, int], Postings]] = {}

    def append_images(self, images: Sequence[StoredImage]) -> None:
        """Store originals durably; on return they survive a crash. Raises OSError (full disk)."""
        if images:
            segments.write_images(self._images.folder, images)

    def append_features(self, model_id: str, features: Features) -> None:
        """Store what a model found durably. A later row for the same image replaces an earlier."""
        if len(features.image_ids):
            segments.write_features(self._features_of(model_id).folder, model_id, features)

    def delete(self, image_ids: Iterable[int]) -> None:
        """Delete images durably and for ever; unknown ids are fine."""
        ids = np.array(sorted(set(image_ids)), np.int64)
        if len(ids):
            segments.write_deletions(self._deletions.folder, ids)

    def __contains__(self, image_id: int) -> bool:
        return self._current_locations().find(image_id) is not None

    def image_ids(self) -> NDArray[np.int64]:
        """(n,) ids of all images, rising."""
        return self._current_locations().image_ids

    def deleted_ids(self) -> NDArray[np.int64]:
        """(n,) ids of all images ever deleted, rising."""
        return self._deletions_read()[1]

    def read_image(self, image_id: int) -> bytes:
        """The original bytes. Raises ImageNotStored, ImageDamaged or SegmentDamaged."""
        location = self._current_locations().find(image_id)
        if location is None:
            raise ImageNotStored(image_id)
        return segments.read_image_bytes(*location)

    def image_facts(self) -> list[ImageFacts]:
        """Facts of all images, by rising id. Reads every image segment's columns."""
        deleted = self._deletions_read()[1]
        _, contents = self._images.read()
        facts: dict[int, ImageFacts] = {}
        for name in contents:
            for fact in segments.read_image_facts(self._images.folder / name):
                facts[fact.image_id] = fact
        for image_id in deleted.tolist():
            facts.pop(image_id, None)
        return [facts[image_id] for image_id in sorted(facts)]

    def postings(self, model_id: str) -> Postings:
        """The searchable index of one model's features, without deleted images."""
        with self._lock:
            deletions, deleted = self._deletions_read()
            generation, contents = self._features_of(model_id).read()
            version = (deletions, generation)
            cached = self._postings.get(model_id)
            if cached is None or cached[0] != version:
                cached = version, Postings.of(_merged(list(contents.values()), deleted))
                self._postings[model_id] = cached
            return cached[1]

    def damaged_segments(self) -> list[SegmentDamaged]:
        """Segments that could not be read so far."""
        folders: list[SegmentFolder[Any]] = [
            self._images,
            self._deletions,
            *self._features.values(),
        ]
        return [error for folder in folders for error in folder.damaged.values()]

    def size_on_disk(self) -> int:
        """Bytes of all segments."""
        return sum(path.stat().st_size for path in self.folder.rglob("*.h5"))

    def sweep(self) -> list[Path]:
        """Remove what killed writers left; returns the removed paths."""
        folders = [path for path in self.folder.rglob("*") if path.is_dir()]
        return [
            path
            for folder in folders
            for path in sweep_unfinished(folder, older_than_seconds=ABANDONED_SECONDS)
        ]

    def _segment_folder(self, name: str, read_segment: Callable[[Path], T]) -> SegmentFolder[T]:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return SegmentFolder(folder, read_segment)

    def _features_of(self, model_id: str) -> SegmentFolder[Features]:
        with self._lock:
            if model_id not in self._features:
                if not model_id.replace("-", "").replace(".", "").isalnum():
                    raise ValueError(f"{model_id!r} cannot name a model: use letters, digits, - .")
                self._features[model_id] = self._segment_folder(
                    f"features/{model_id}", segments.read_features
                )
            return self._features[model_id]

    def _deletions_read(self) -> tuple[int, NDArray[np.int64]]:
        with self._lock:
            generation, contents = self._deletions.read()
            if generation != self._deleted[0]:
                ids = np.concatenate([np.empty(0, np.int64), *contents.values()])
                self._deleted = generation, np.unique(ids)
            return self._deleted

    def _current_locations(self) -> _Locations:
        with self._lock:
            deletions, deleted = self._deletions_read()
            generation, contents = self._images.read()
            version = (deletions, generation)
            if self._locations is None or self._locations[0] != version:
                paths = [self._images.folder / name for name in contents]
                self._locations = version, _locate(list(contents.values()), paths, deleted)
            return self._locations[1]


def _locate(
    ids_by_segment: list[NDArray[np.int64]], paths: list[Path], deleted: NDArray[np.int64]
) -> _Locations:
    counts = [len(ids) for ids in ids_by_segment]
    ids = np.concatenate([np.empty(0, np.int64), *ids_by_segment])
    segment_numbers = np.repeat(np.arange(len(counts)), counts)
    rows = np.concatenate([np.empty(0, np.int64), *map(np.arange, counts)])
    keep = _latest_rows(ids, deleted)
    return _Locations(ids[keep], segment_numbers[keep], rows[keep], paths)


def _merged(parts: list[Features], deleted: NDArray[np.int64]) -> Features:
    empty = Features(
        image_ids=np.empty(0, np.int64),
        ssd=np.empty((0, segments.MAX_OBJECTS, segments.OBJECT_COLUMNS), np.float32),
        nlp=np.empty((0, segments.SENTENCE_DIMENSIONS), np.float32),
    )
    parts = [empty, *parts]
    ids = np.concatenate([part.image_ids for part in parts])
    keep = _latest_rows(ids, deleted)
    return Features(
        image_ids=ids[keep],
        ssd=np.concatenate([part.ssd for part in parts])[keep],
        nlp=np.concatenate([part.nlp for part in parts])[keep],
    )


def _latest_rows(ids: NDArray[np.int64], deleted: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows to keep, by rising id: of each id the last written, of deleted ids none."""
    unique, first_from_the_end = np.unique(ids[::-1], return_index=True)
    rows = len(ids) - 1 - first_from_the_end
    return rows[~np.isin(unique, deleted)]
