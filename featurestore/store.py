"""The feature store: originals and features in immutable segments, the truth about every photo.

Any number of processes may append, delete and read at once: each writes files of its own,
and sees those of the others at its next read.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from featurestore import segments
from featurestore.corrections import Correction, Corrections, SentenceOf
from featurestore.durable import sweep_unfinished
from featurestore.errors import ImageNotStored, SegmentDamaged, SegmentUnavailable
from featurestore.index import Index
from featurestore.live_rows import alive_rows, contains, latest_rows, numbered_rows
from featurestore.locations import Locations
from featurestore.look_index import LookIndex
from featurestore.look_index_files import LOOK_INDEX
from featurestore.look_postings_files import LOOK_POSTINGS
from featurestore.look_space import PLAIN, LookSpace
from featurestore.looks import LOOKS
from featurestore.model_features import Deletions, ModelFeatures
from featurestore.model_looks import ModelLooks
from featurestore.originals import read_image_bytes
from featurestore.searched_looks import SearchedLooks
from featurestore.segment_folder import SegmentFolder, contents_by_path
from featurestore.segment_rows import SegmentRows, segment_rows
from featurestore.segments import Edit, Features, ImageFacts, StoredImage
from featurestore.trash import trashed_images

T = TypeVar("T")

# The field of edits that stands in for the name an image was uploaded with.
NAME = "name"

# Compaction can move an image between its being located and read, but hardly twice in a row.
READ_TRIES = 5

# A writer holds a segment unfinished for well under a second a batch; an hour is surely a dead one.
ABANDONED_SECONDS = 3600.0


@dataclass(frozen=True)
class _Hidden:
    """What no search finds."""

    version: tuple[int, int]
    """Generations of the deletions and edits that this was read from."""
    trashed: dict[int, float]
    ids: Deletions
    """Deleted and trashed."""


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
        self._edits = self._segment_folder("edits", segments.read_edits)
        self._corrections = Corrections()
        self._features: dict[str, ModelFeatures] = {}
        self._looks: dict[str, ModelLooks] = {}
        self._searched_looks: dict[tuple[str, str], SearchedLooks] = {}
        self._completed: tuple[list[Index], Index] = ([], Index(()))
        self._with_looks = Index(()), Index(())
        self._deleted: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))
        self._hidden = _Hidden((-1, -1), {}, (-1, np.empty(0, np.int64)))
        self._locations: tuple[tuple[int, int], Locations] | None = None

    def append_images(self, images: Sequence[StoredImage]) -> None:
        """Store originals durably; on return they survive a crash. Raises OSError (full disk)."""
        if images:
            segments.write_images(self._images.folder, images)

    def append_features(self, model_id: str, features: Features) -> None:
        """Store what a model found durably. A later row for the same image replaces an earlier."""
        if len(features.image_ids):
            self._features_of(model_id).append(model_id, features)

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
        """The original bytes.

        Raises ImageNotStored, ImageDamaged, SegmentDamaged or SegmentUnavailable.
        """
        for _ in range(READ_TRIES):
            location = self._current_locations().find(image_id)
            if location is None:
                raise ImageNotStored(image_id)
            try:
                return read_image_bytes(*location)
            except FileNotFoundError:
                # Compaction has moved the image to another segment since it was located.
                continue
        raise ImageNotStored(image_id)

    def image_facts(self) -> Iterator[ImageFacts]:
        """Facts of all images as they were stored, by segment; no image comes twice."""
        live = set(self.image_ids().tolist())
        _, contents = self._images.read()
        for name in reversed(contents):
            for facts in segments.read_image_facts(self._images.folder / name):
                if facts.image_id in live:
                    live.remove(facts.image_id)
                    yield facts

    def append_edits(self, edits: Sequence[Edit]) -> None:
        """Store durably what people changed about images."""
        if edits:
            segments.write_edits(self._edits.folder, edits)

    def edits(self) -> dict[tuple[int, str], Edit]:
        """The latest edit of each field of each image that is not deleted, by (id, field)."""
        deleted = set(self.deleted_ids().tolist())
        _, contents = self._edits.read()
        # Of those made at one time the last written counts, which a stable sort keeps last.
        edits = sorted(chain.from_iterable(contents.values()), key=lambda edit: edit.edited_at)
        return {(edit.image_id, edit.field): edit for edit in edits if edit.image_id not in deleted}

    def edited_names(self) -> dict[int, str]:
        """Names that people gave to images, by image id."""
        return {
            image_id: str(json.loads(edit.value))
            for (image_id, field), edit in self.edits().items()
            if field == NAME
        }

    def trashed(self) -> dict[int, float]:
        """Images in the trash by id, with when they were moved there: seconds since 1970 UTC."""
        return self._hidden_read().trashed

    def hidden_ids(self) -> NDArray[np.int64]:
        """(n,) rising ids of images that are deleted or in the trash."""
        return self._hidden_read().ids[1]

    def corrections(self) -> Mapping[int, Correction]:
        """What people say is in photos that are neither deleted nor in the trash, by image id."""
        hidden = self._hidden_read()
        return self._corrections.of(hidden.version, lambda: self._edits_without(hidden.trashed))

    def corrected_index(
        self, model_id: str, sentence_of: SentenceOf, look_model_id: str | None = None
    ) -> Index:
        """What a search looks at: corrections, and of all other photos what models found.

        One model's features, or where it has none of a photo another's; and what the photos look
        like to an appearance model, where one is given.
        """
        index = self.index(model_id, completed=True)
        self.corrections()
        index = self._corrections.applied_to(index, sentence_of)
        if look_model_id is None:
            return index
        looks = self.looks(look_model_id).index()
        with self._lock:
            before, with_looks = self._with_looks
            # The same object as long as nothing changes.
            if before is not index or with_looks.looks is not looks:
                self._with_looks = index, replace(index, looks=looks)
            return self._with_looks[1]

    def index(self, model_id: str, *, completed: bool = False, trashed: bool = False) -> Index:
        """What one model found, without deleted images and, unless asked for, those in the trash.

        Args:
            completed: whether other models' features stand in for images that it has none of.
            trashed: whether images in the trash are there as well.
        """
        deletions = self._deletions_read() if trashed else self._hidden_read().ids
        index = self._features_of(model_id).index(deletions)
        others = [other for other in self.model_ids() if other != model_id] if completed else []
        if not others:
            return index
        parts = [index, *(self._features_of(other).index(deletions) for other in others)]
        with self._lock:
            # Each is the same object as long as nothing changes.
            if list(map(id, parts)) != list(map(id, self._completed[0])):
                self._completed = parts, reduce(Index.completed_by, parts)
            return self._completed[1]

    def images_without_features(self, model_id: str) -> NDArray[np.int64]:
        """(n,) ids of stored images that a model has no features of, rising."""
        image_ids = self.image_ids()
        return image_ids[alive_rows(image_ids, self.index(model_id, trashed=True).live_ids)]

    def looks(self, model_id: str) -> ModelLooks:
        """How photos look as a whole, by one appearance model."""
        with self._lock:
            if model_id not in self._looks:
                _check_model_id(model_id)
                folder, index_folder = (
                    self.folder / name / model_id for name in (LOOKS, LOOK_POSTINGS)
                )
                self._looks[model_id] = ModelLooks(folder, index_folder, model_id, self.deleted_ids)
            return self._looks[model_id]

    def look_model_ids(self) -> list[str]:
        """Appearance models that looks are stored of."""
        return _folder_names(self.folder / LOOKS)

    def look_index(self, model_id: str, space: LookSpace = PLAIN) -> LookIndex:
        """What a search by look goes through, without what is deleted or in the trash."""
        return self._looks_in(model_id, space).index(self._hidden_read().ids)

    def renew_look_index(self, model_id: str, space: LookSpace = PLAIN) -> bool:
        """Write the index files of looks anew where enough has changed; whether it did."""
        renewed = self.looks(model_id).renew_index_file()
        return self._looks_in(model_id, space).renew_file(self._deletions_read()) or renewed

    def renew_index(self, model_id: str) -> bool:
        """Write the index file anew where enough has changed; returns whether it did."""
        return self._features_of(model_id).renew_index_file(self._deletions_read())

    def model_ids(self) -> list[str]:
        """Models that features are stored of."""
        return _folder_names(self.folder / "features")

    def damaged_segments(self) -> list[SegmentDamaged | SegmentUnavailable]:
        """Why segments were left out at the last look."""
        folders: list[SegmentFolder[Any]] = [
            self._images,
            self._deletions,
            self._edits,
            *(features.folder for features in self._features.values()),
            *(looks.folder for looks in self._looks.values()),
        ]
        return [error for folder in folders for error in folder.left_out()]

    def image_segments(self, without: Collection[Path] = ()) -> list[SegmentRows]:
        """Image segments with the rows that count, as if some segments were not there."""
        parts = contents_by_path(self._images, without)
        ids = np.concatenate([np.empty(0, np.int64), *parts.values()])
        deleted = self.deleted_ids()
        counts = [len(part) for part in parts.values()]
        live = latest_rows(ids, deleted)
        return segment_rows(list(parts), counts, live, contains(deleted, ids))

    def feature_segments(self, model_id: str, without: Collection[Path] = ()) -> list[SegmentRows]:
        """Feature segments of a model likewise."""
        parts = self._features_of(model_id).rows(without)
        ids, written_at, _, _ = numbered_rows(parts.values())
        deleted = self.deleted_ids()
        live = latest_rows(ids, deleted, written_at)
        counts = [len(part) for part, _ in parts.values()]
        return segment_rows(list(parts), counts, live, contains(deleted, ids))

    def edit_segments(self, without: Collection[Path] = ()) -> list[SegmentRows]:
        """Edit segments likewise."""
        parts = contents_by_path(self._edits, without)
        edits = [edit for part in parts.values() for edit in part]
        by_time = sorted(range(len(edits)), key=lambda row: edits[row].edited_at)
        latest = {(edits[row].image_id, edits[row].field): row for row in by_time}
        rows = np.array(sorted(latest.values()), np.int64)
        deleted = contains(
            self.deleted_ids(), np.array([edit.image_id for edit in edits], np.int64)
        )
        counts = [len(part) for part in parts.values()]
        return segment_rows(list(parts), counts, rows[~deleted[rows]], deleted)

    def deletion_segments(self, without: Collection[Path] = ()) -> list[SegmentRows]:
        """Deletion segments likewise; every deletion counts for ever."""
        parts = contents_by_path(self._deletions, without)
        counts = [len(ids) for ids in parts.values()]
        rows = np.arange(sum(counts))
        return segment_rows(list(parts), counts, rows, np.zeros(len(rows), np.bool_))

    def size_on_disk(self) -> int:
        """Bytes of all segments."""
        total = 0
        for path in self.folder.rglob("*.h5"):
            # Compaction may have removed it since the listing.
            with suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    def sweep(self) -> list[Path]:
        """Remove what killed writers left; returns the removed paths."""
        folders = [self.folder, *(path for path in self.folder.rglob("*") if path.is_dir())]
        return [
            path
            for folder in folders
            for path in sweep_unfinished(folder, older_than_seconds=ABANDONED_SECONDS)
        ]

    def _segment_folder(self, name: str, read_segment: Callable[[Path], T]) -> SegmentFolder[T]:
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return SegmentFolder(folder, read_segment)

    def _features_of(self, model_id: str) -> ModelFeatures:
        with self._lock:
            if model_id not in self._features:
                _check_model_id(model_id)
                self._features[model_id] = ModelFeatures(
                    self.folder / "features" / model_id, self.folder / "index" / model_id
                )
            return self._features[model_id]

    def _looks_in(self, model_id: str, space: LookSpace) -> SearchedLooks:
        with self._lock:
            key = model_id, space.name
            if key not in self._searched_looks:
                folder = self.folder / LOOK_INDEX / model_id
                segments_of_looks = self.looks(model_id).folder
                self._searched_looks[key] = SearchedLooks(segments_of_looks, folder, space)
            return self._searched_looks[key]

    def _deletions_read(self) -> tuple[int, NDArray[np.int64]]:
        with self._lock:
            generation, contents = self._deletions.read()
            if generation != self._deleted[0]:
                ids = np.concatenate([np.empty(0, np.int64), *contents.values()])
                self._deleted = generation, np.unique(ids)
            return self._deleted

    def _edits_without(self, image_ids: Collection[int]) -> dict[tuple[int, str], Edit]:
        return {key: edit for key, edit in self.edits().items() if key[0] not in image_ids}

    def _hidden_read(self) -> _Hidden:
        with self._lock:
            deletions, deleted = self._deletions_read()
            version = deletions, self._edits.read()[0]
            if version != self._hidden.version:
                trashed = trashed_images(self.edits())
                generation, known = self._hidden.ids
                ids = np.union1d(deleted, np.array(list(trashed), np.int64))
                # Most edits hide nothing, and an index is as good as before then. Numbers below
                # zero are no generations of deletions alone, which indexes are kept by as well.
                if not np.array_equal(ids, known):
                    generation -= 1
                self._hidden = _Hidden(version, trashed, (generation, ids))
            return self._hidden

    def _current_locations(self) -> Locations:
        with self._lock:
            deletions, deleted = self._deletions_read()
            generation, contents = self._images.read()
            version = (deletions, generation)
            if self._locations is None or self._locations[0] != version:
                paths = [self._images.folder / name for name in contents]
                self._locations = version, Locations.of(list(contents.values()), paths, deleted)
            return self._locations[1]


def _check_model_id(model_id: str) -> None:
    if not model_id.replace("-", "").replace(".", "").isalnum():
        raise ValueError(f"{model_id!r} cannot name a model: use letters, digits, - .")


def _folder_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*") if path.is_dir())
