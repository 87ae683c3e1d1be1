"""Hashes of pixels: 64 bits that stay nearly the same when a photo is resized or saved again."""

from __future__ import annotations

import time

import numpy as np
from PIL import Image as Pillow

from featurestore.errors import StoreError
from gallery.duplicates.models import ComparedPhoto
from gallery.errors import PhotoRefused
from gallery.models import Image
from gallery.originals import thumbnail_path
from gallery.thumbnails import Size

BATCH = 100
# None can be made of a photo that cannot be read.
NONE_POSSIBLE = b""


def pixel_hash(photo: Pillow.Image) -> bytes:
    """8 bytes: which of the lowest 8 × 8 frequencies are above their median (ImageHash's phash)."""
    # It loads SciPy, which only a worker that hashes is to pay for.
    import imagehash

    return np.packbits(imagehash.phash(photo).hash).tobytes()


def make_missing_hashes(seconds: float) -> bool:
    """Make hashes of ready photos for about so long, from thumbnails; whether that is all of them.

    Raises DiskFull.
    """
    stop = time.monotonic() + seconds
    while batch := list(Image.objects.ready().filter(compared=None).order_by("-pk")[:BATCH]):
        rows = [_compared(image) for image in batch]
        there = set(Image.objects.filter(pk__in=[i.pk for i in batch]).values_list("pk", flat=True))
        ComparedPhoto.objects.bulk_create(
            [row for row in rows if row.image_id in there], ignore_conflicts=True
        )
        if time.monotonic() > stop:
            return False
    return True


def _compared(image: Image) -> ComparedPhoto:
    found = _hash_of(image)
    return ComparedPhoto(image=image, pixel_hash=found, pixels_compared=found == NONE_POSSIBLE)


def _hash_of(image: Image) -> bytes:
    try:
        with Pillow.open(thumbnail_path(image, Size.GRID)) as thumbnail:
            return pixel_hash(thumbnail)
    except (StoreError, PhotoRefused, OSError, ValueError, SyntaxError):
        return NONE_POSSIBLE
