"""Puts photos into groups: new ones to the nearest centre, all anew once much has changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from featurestore.live_rows import contains
from featurestore.looks import EMBEDDING_DIMENSIONS
from featurestore.model_looks import ModelLooks
from gallery import components
from gallery.groups.clustering import (
    FEWEST_PHOTOS,
    Vectors,
    group_count,
    more_centres,
    moved_centres,
    nearest,
    unit_rows,
)
from gallery.groups.models import GroupedPhoto, PhotoGroup
from gallery.groups.names import call_groups
from gallery.groups.reduced_looks import SAMPLE, ReducedLooks, read_reduced
from gallery.models import Image

# Photos are grouped anew when there are so many times as many, or as few.
GROWN, SHRUNK = 1.25, 0.5
BATCH = 2000


def group_photos() -> int:
    """Give every photo that has a look its group; returns how many were put into one.

    Deterministic for the same photos and groups. Raises StoreError, or FileNotFoundError where
    the store was compacted meanwhile.
    """
    model_id = components.look_model_id()
    if model_id is None:
        return 0
    looks = components.store().looks(model_id)
    shown = np.array(Image.objects.shown().order_by("pk").values_list("pk", flat=True), np.int64)
    image_ids = looks.image_ids()
    image_ids = image_ids[contains(shown, image_ids)]
    if len(image_ids) < FEWEST_PHOTOS:
        return 0
    groups = list(PhotoGroup.objects.filter(look_model=model_id).order_by("pk"))
    made_of = sum(group.photos_when_made for group in groups)
    if not SHRUNK * made_of <= len(image_ids) <= GROWN * made_of:
        return _group_anew(looks, image_ids)
    grouped = np.array(
        GroupedPhoto.objects.order_by("pk").values_list("image_id", flat=True), np.int64
    )
    new = image_ids[~contains(grouped, image_ids)]
    if len(new):
        found = looks.read(new.tolist())
        centres = np.stack([_centre_of(group) for group in groups])
        places, distances = nearest(unit_rows(found.embedding), centres)
        _put(found.image_ids, [groups[place] for place in places], distances)
    return len(new)


def _group_anew(looks: ModelLooks, image_ids: NDArray[np.int64]) -> int:
    """Move the centres of groups to where photos are now, with more of them where there are more.

    Each group begins with its own centre, so that it stays what it was; new ones begin far away.
    """
    reduced = read_reduced(looks).only(image_ids)
    if not len(reduced.image_ids):
        return 0
    count = group_count(len(reduced.image_ids))
    groups = _kept_groups(count)
    centres = _starting_centres(groups, reduced)
    sample = np.random.default_rng(0).permutation(len(reduced.vectors))[:SAMPLE]
    vectors = reduced.vectors[np.sort(sample)]
    centres = moved_centres(vectors, more_centres(vectors, centres, max(count, len(groups))))
    groups += [PhotoGroup(look_model=looks.model_id) for _ in range(len(centres) - len(groups))]
    places, distances = nearest(reduced.vectors, centres)
    photos = np.bincount(places, minlength=len(groups))
    call_groups(groups, reduced.image_ids, places)
    whole = reduced.restore(centres)
    with transaction.atomic():
        for group, centre, size in zip(groups, whole, photos.tolist(), strict=True):
            group.centre = centre.astype(np.float16).tobytes()
            group.look_model = looks.model_id
            group.photos_when_made = size
            if size or group.name:
                group.save()
        kept = [group.pk for group in groups if group.pk]
        PhotoGroup.objects.exclude(pk__in=kept).filter(name="").delete()
        _put(reduced.image_ids, [groups[place] for place in places], distances)
    return len(reduced.image_ids)


def _kept_groups(count: int) -> list[PhotoGroup]:
    """Groups that go on: those that people named, and the largest others up to a number."""
    groups = sorted(PhotoGroup.objects.all(), key=lambda one: (not one.name, -one.photos_when_made))
    named = sum(bool(group.name) for group in groups)
    return groups[: max(count, named)]


def _starting_centres(groups: Sequence[PhotoGroup], reduced: ReducedLooks) -> Vectors:
    """(k, d) where groups were; those of another appearance model where their photos are now."""
    centres = []
    for group in groups:
        if group.look_model != components.look_model_id():
            members = GroupedPhoto.objects.filter(group=group).values_list("image_id", flat=True)
            vectors = reduced.only(np.array(list(members), np.int64)).vectors
            centre = vectors.mean(axis=0) if len(vectors) else reduced.vectors[0]
        else:
            centre = reduced.reduce(_centre_of(group)[None])[0]
        centres.append(centre)
    return np.array(centres, np.float32).reshape(len(groups), reduced.vectors.shape[1])


def _centre_of(group: PhotoGroup) -> Vectors:
    centre = np.frombuffer(bytes(group.centre), np.float16).astype(np.float32)
    if centre.shape != (EMBEDDING_DIMENSIONS,) or not np.isfinite(centre).all():
        return np.zeros(EMBEDDING_DIMENSIONS, np.float32)
    return centre


def _put(
    image_ids: Iterable[int], groups: Sequence[PhotoGroup], distances: NDArray[np.float32]
) -> None:
    rows = [
        GroupedPhoto(image_id=int(image_id), group=group, distance=float(distance))
        for image_id, group, distance in zip(image_ids, groups, distances, strict=True)
    ]
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        with transaction.atomic():
            # Some may have been deleted for good since their looks were read.
            there = Image.objects.filter(pk__in=[row.image_id for row in batch]).lock()
            GroupedPhoto.objects.bulk_create(
                [row for row in batch if row.image_id in there],
                update_conflicts=True,
                unique_fields=["image"],
                update_fields=["group", "distance"],
            )
