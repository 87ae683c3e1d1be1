"""Compares photos in the background, new ones with all: by their pixels, then by their looks."""

from __future__ import annotations

import time

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from featurestore.live_rows import contains
from featurestore.look_rows import LookRows
from featurestore.model_looks import ModelLooks
from gallery import components
from gallery.duplicates.hash_pairs import near_pairs
from gallery.duplicates.hashing import NONE_POSSIBLE, make_missing_hashes
from gallery.duplicates.look_pairs import cosines, near_by_whole_looks, near_in_reduced
from gallery.duplicates.models import AlikePair, ComparedPhoto
from gallery.groups.clustering import unit_rows
from gallery.groups.reduced_looks import read_reduced, unit_looks
from gallery.models import Image

# Bits of 64 in which hashes of the same photo may differ, and up to which they need no more than
# some likeness of looks: small and coarse files of a photo look less alike than its other cuts,
# which differ in more bits. docs/groups-and-duplicates.md has figures.
MOST_BITS, SURE_BITS = 14, 4
LEAST_COSINE, LEAST_COSINE_OF_CUTS = 0.55, 0.87
# The same place with the same things, taken again.
SCENE_COSINE = 0.9
# Partners of a photo, the nearest: of a thousand white pages each is a pair with some others.
MOST_PARTNERS = 20
PHOTOS_AT_A_TIME = 2000
# So few new photos are compared by their whole looks, which takes less than to reduce all.
FEW_PHOTOS = 500
# Looks that are in memory at a time: 60 MB.
PAIRS_AT_A_TIME = 4000
BATCH = 2000


def is_same_photo(bits: NDArray[np.int64], cosine: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(p,) whether pairs are one photo in two files.

    Args:
        bits: (p,) in how many their pixel hashes differ.
        cosine: (p,) of their looks.
    """
    needed = np.where(bits <= SURE_BITS, LEAST_COSINE, LEAST_COSINE_OF_CUTS)
    same: NDArray[np.bool_] = (bits <= MOST_BITS) & (cosine >= needed)
    return same


def compare_photos(seconds: float = float("inf")) -> bool:
    """Find what is alike among photos that were not compared yet; whether that is all of them.

    Killed at any moment, it goes on from where it was. Raises StoreError, DiskFull, or
    FileNotFoundError where the store was compacted meanwhile.
    """
    stop = time.monotonic() + seconds
    if not make_missing_hashes(seconds):
        return False
    model_id = components.look_model_id()
    looks = None if model_id is None else components.store().looks(model_id)
    _compare_pixels(looks)
    return looks is None or _compare_looks(looks, stop)


def waiting_photos() -> int:
    """How many ready photos are still to be compared."""
    ready = Image.objects.shown().ready()
    return ready.count() - ready.filter(compared__pixels_compared=True).count()


def _compare_pixels(looks: ModelLooks | None) -> None:
    """Photos whose look is still missing wait for it, where there is an appearance model."""
    if not ComparedPhoto.objects.filter(pixels_compared=False).exists():
        return
    rows = ComparedPhoto.objects.exclude(pixel_hash=NONE_POSSIBLE).order_by("pk")
    facts = list(rows.values_list("image_id", "pixel_hash", "pixels_compared"))
    image_ids = np.array([image_id for image_id, _, _ in facts], np.int64)
    hashes = np.frombuffer(b"".join(bytes(bits) for _, bits, _ in facts), ">u8").astype(np.uint64)
    is_new = ~np.array([compared for _, _, compared in facts], np.bool_)
    if looks is not None:
        has_look = contains(looks.image_ids(), image_ids)
        image_ids, hashes, is_new = image_ids[has_look], hashes[has_look], is_new[has_look]
    pairs, bits = near_pairs(
        hashes, is_new, SURE_BITS if looks is None else MOST_BITS, MOST_PARTNERS
    )
    alike = image_ids[pairs]
    if looks is not None:
        alike = alike[is_same_photo(bits, _cosines_of(looks, alike))]
    _keep(alike, AlikePair.Kind.PIXELS)
    _mark(image_ids[is_new], "pixels_compared")


def _compare_looks(looks: ModelLooks, stop: float) -> bool:
    waiting = ComparedPhoto.objects.filter(looks_compared=False)
    new = np.array(waiting.order_by("pk").values_list("pk", flat=True), np.int64)
    new = new[contains(looks.image_ids(), new)]
    if not len(new):
        return True
    if len(new) <= FEW_PHOTOS:
        found = looks.read(new.tolist())
        alike = near_by_whole_looks(
            unit_looks(looks.segments()),
            found.image_ids,
            unit_rows(found.embedding),
            SCENE_COSINE,
            MOST_PARTNERS,
        )
        _keep(alike, AlikePair.Kind.SCENE)
        _mark(new, "looks_compared")
        return True
    reduced = read_reduced(looks)
    is_new = contains(new, reduced.image_ids)
    rows = np.flatnonzero(is_new)
    for start in range(0, len(rows), PHOTOS_AT_A_TIME):
        some = rows[start : start + PHOTOS_AT_A_TIME]
        pairs = near_in_reduced(reduced.vectors, is_new, some, SCENE_COSINE, MOST_PARTNERS)
        alike = reduced.image_ids[pairs]
        _keep(alike[_cosines_of(looks, alike) >= SCENE_COSINE], AlikePair.Kind.SCENE)
        _mark(reduced.image_ids[some], "looks_compared")
        if time.monotonic() > stop and start + PHOTOS_AT_A_TIME < len(rows):
            return False
    return True


def _cosines_of(looks: ModelLooks, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """(p,) cosines of (p, 2) pairs of ids, 0 where one has no look."""
    folder = looks.folder.folder
    rows = LookRows({folder / name: known for name, known in looks.folder.read()[1].items()})
    found = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), PAIRS_AT_A_TIME):
        some = pairs[start : start + PAIRS_AT_A_TIME]
        ids, places = np.unique(some, return_inverse=True)
        units = unit_rows(rows.read(ids))
        found[start : start + len(some)] = cosines(units, places.reshape(-1, 2))
    return found


def _keep(pairs: NDArray[np.int64], kind: AlikePair.Kind) -> None:
    """Keep pairs of ids; those that are known stay what they are, also what people decided."""
    ordered = np.sort(pairs, axis=1).tolist()
    for start in range(0, len(ordered), BATCH):
        batch = ordered[start : start + BATCH]
        with transaction.atomic():
            # Some may have been deleted for good since they were read.
            ids = {image_id for pair in batch for image_id in pair}
            there = Image.objects.filter(pk__in=ids).lock()
            AlikePair.objects.bulk_create(
                [
                    AlikePair(first_id=first, second_id=second, kind=kind)
                    for first, second in batch
                    if first in there and second in there
                ],
                ignore_conflicts=True,
            )


def _mark(image_ids: NDArray[np.int64], field: str) -> None:
    ids = image_ids.tolist()
    for start in range(0, len(ids), BATCH):
        some = ComparedPhoto.objects.filter(pk__in=ids[start : start + BATCH])
        some.update(**{field: True})
