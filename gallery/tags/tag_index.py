"""Which photos have a tag, and how probable it is: what searches ask."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db.models import Count, Max
from numpy.typing import NDArray

from featurestore.index import Index
from gallery import components
from gallery.models import PhotoTag
from gallery.tags.names import keys_of
from gallery.tags.taggers import taggers

# Tags whose photos are kept in mind.
MOST_KEPT = 64
# Tags that are listed at a time.
MOST_NAMED = 1000
LAST_LETTER = "\U0010ffff"

_Photos = tuple[NDArray[np.int64], NDArray[np.float32]]
# Of which store, as what was read last of it.
_State = tuple[Path, int | None, int]


class TagIndex:
    """Reads the catalogue, and keeps what it read for as long as nothing changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[_State, _Photos]] = {}

    def named(self, words: str) -> str | None:
        """The tag that words name, in singular or plural; None where there is none."""
        keys = keys_of(words)
        people = PhotoTag.objects.by_people().named(keys).filter(is_refused=False)
        found = people.values_list("name", flat=True).first()
        if found is not None or components.look_model_id() is None:
            return found
        return min((name for name in _suggested() if keys_of(name) & keys), default=None)

    def names_any(self, phrases: Iterable[str]) -> bool:
        """Whether any of some phrases names a tag; the catalogue is asked once."""
        keys = set().union(*map(keys_of, phrases))
        if PhotoTag.objects.by_people().named(keys).filter(is_refused=False).exists():
            return True
        if components.look_model_id() is None:
            return False
        return any(not keys.isdisjoint(keys_of(name)) for name in _suggested())

    def beginning(self, beginning: str) -> dict[str, int]:
        """How many photos, those in the trash apart, show each tag that begins so."""
        rows = PhotoTag.objects.shown().filter(
            image__trashed_at=None,
            is_refused=False,
            name__gte=beginning,
            name__lt=beginning + LAST_LETTER,
        )
        counts = rows.values("name").annotate(photos=Count("image", distinct=True))
        return dict(counts.order_by("-photos", "name").values_list("name", "photos")[:MOST_NAMED])

    def photos(self, name: str) -> _Photos:
        """(n,) rising ids of photos with a tag, and (n,) how probable it is, 0..1.

        What a person said is certain, and what a person took away is not there.
        """
        rows = PhotoTag.objects.named(keys_of(name))
        newest = rows.aggregate(last=Max("id"), count=Count("id"))
        # Rows are never changed, and no id comes twice.
        state: _State = settings.STORE_DIR, newest["last"], newest["count"]
        with self._lock:
            kept = self._kept.get(name)
        if kept is not None and kept[0] == state:
            return kept[1]
        photos = _read(rows.values_list("image", "tagger", "probability", "is_refused").iterator())
        with self._lock:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[name] = state, photos
        return photos

    def probability(self, name: str, image_id: int) -> float:
        """How probable a tag is of one photo."""
        ids, probabilities = self.photos(name)
        place = int(np.searchsorted(ids, image_id))
        return float(probabilities[place]) if place < len(ids) and ids[place] == image_id else 0.0

    def scores(self, index: Index, name: str) -> NDArray[np.float32]:
        """(rows,) how probable a tag is of each row of an index."""
        ids, probabilities = self.photos(name)
        scores = np.zeros(index.rows, np.float32)
        for first, part in index.numbered_parts():
            known = part.postings.image_ids
            places = np.searchsorted(known, ids)
            inside = places < len(known)
            inside[inside] = known[places[inside]] == ids[inside]
            scores[first + places[inside]] = probabilities[inside]
        return scores


def _suggested() -> set[str]:
    """What the taggers of this gallery may call a photo."""
    return {name for tagger in taggers() for name in tagger.tags}


def _read(rows: Iterator[tuple[int, str, float, bool]]) -> _Photos:
    best: dict[int, float] = {}
    people: dict[int, bool] = {}
    for image_id, tagger, probability, is_refused in rows:
        if tagger:
            best[image_id] = max(best.get(image_id, 0.0), probability)
        else:
            # Under one of its names it was added: that counts.
            people[image_id] = people.get(image_id, False) or not is_refused
    best |= {image_id: 1.0 if added else 0.0 for image_id, added in people.items()}
    ids = np.array(sorted(id_ for id_, one in best.items() if one > 0), np.int64)
    return ids, np.array([best[id_] for id_ in ids.tolist()], np.float32)


tag_index = TagIndex()
