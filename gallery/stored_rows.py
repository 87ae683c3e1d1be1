"""The catalogue's rows as the store alone would have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from featurestore.errors import SegmentDamaged, SegmentUnavailable
from featurestore.live_rows import contains
from featurestore.segments import ImageFacts, read_image_facts
from featurestore.store import FeatureStore
from gallery import components
from gallery.models import Image
from gallery.trash import is_same_moment, moment_of

# Fields that the store knows as well as the catalogue does.
FIELDS = (
    *("sha256", "name", "media_type", "size", "width", "height"),
    *("uploaded_at", "trashed_at"),
)
MOMENTS = ("uploaded_at", "trashed_at")


@dataclass(frozen=True)
class StoredRows:
    """What the store says about its images at one moment."""

    store: FeatureStore
    names: dict[int, str]
    """Names that people changed, by image id."""
    trashed: dict[int, float]
    """When images were moved to the trash, in seconds since 1970 UTC, by image id."""
    featured_ids: NDArray[np.int64]
    """(n,) rising ids of images with features of the current model."""

    @classmethod
    def of(cls, store: FeatureStore) -> StoredRows:
        featured_ids = _featured_ids(store, components.model_id())
        return cls(store, store.edited_names(), store.trashed(), featured_ids)

    def __iter__(self) -> Iterator[list[Image]]:
        """Unsaved rows of all images, one list a segment. Unreadable segments are passed over."""
        for segment in self.store.image_segments():
            try:
                facts = read_image_facts(segment.path)
            except (SegmentDamaged, SegmentUnavailable):
                continue
            yield [self._row(facts[row]) for row in segment.live.tolist()]

    def has_features(self, image_id: int) -> bool:
        return bool(contains(self.featured_ids, np.array([image_id]))[0])

    def _row(self, facts: ImageFacts) -> Image:
        ready = self.has_features(facts.image_id)
        return Image(
            pk=facts.image_id,
            sha256=facts.sha256,
            name=self.names.get(facts.image_id, facts.name),
            media_type=facts.media_type,
            size=facts.size,
            width=facts.width,
            height=facts.height,
            uploaded_at=datetime.fromtimestamp(facts.uploaded_at, UTC),
            trashed_at=moment_of(self.trashed.get(facts.image_id)),
            state=Image.State.READY if ready else Image.State.RECEIVED,
        )


class CatalogueFacts:
    """What the catalogue knows about images, for the repair of segments."""

    def of_sha256(self, sha256: str) -> ImageFacts | None:
        return self._facts(Image.objects.filter(sha256=sha256).first())

    def of_id(self, image_id: int) -> ImageFacts | None:
        # SQLite takes no larger number.
        if not 0 < image_id < 2**63:
            return None
        return self._facts(Image.objects.filter(pk=image_id).first())

    def _facts(self, image: Image | None) -> ImageFacts | None:
        if image is None:
            return None
        return ImageFacts(
            image_id=image.pk,
            sha256=image.sha256,
            name=image.name,
            media_type=image.media_type,
            width=image.width,
            height=image.height,
            uploaded_at=image.uploaded_at.timestamp(),
            size=image.size,
        )


def differing_fields(row: Image, stored: Image) -> list[str]:
    """Names of the fields in which a row is not what the store says."""
    return [
        name
        for name in FIELDS
        if getattr(row, name) != getattr(stored, name)
        # The store keeps seconds as a float64, which is exact to less than a microsecond.
        and not (name in MOMENTS and is_same_moment(getattr(row, name), getattr(stored, name)))
    ]


def highest_id(store: FeatureStore) -> int:
    """The highest id that the store has ever seen, deleted images included; 0 where none."""
    ids = [store.image_ids(), store.deleted_ids()]
    ids += [store.index(model_id).image_ids for model_id in store.model_ids()]
    ids += [store.looks(model_id).image_ids() for model_id in store.look_model_ids()]
    return max(int(some.max(initial=0)) for some in ids)


def raise_next_id(above: int) -> None:
    """Have the database give new rows ids above one, and never a lower one than it would."""
    table = Image._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            found = cursor.fetchone()
            if found is None:
                cursor.execute("INSERT INTO sqlite_sequence VALUES (%s, %s)", [table, above])
            elif found[0] < above:
                cursor.execute(
                    "UPDATE sqlite_sequence SET seq = %s WHERE name = %s", [above, table]
                )
        else:
            cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
            sequence = cursor.fetchone()[0]
            cursor.execute(
                f"SELECT setval(%s, GREATEST(%s, (SELECT last_value FROM {sequence})))",
                [sequence, max(1, above)],
            )


def _featured_ids(store: FeatureStore, model_id: str) -> NDArray[np.int64]:
    """Images that can be found: with features of the model, or of another that stands in."""
    return np.sort(store.index(model_id, completed=True, trashed=True).live_ids)
