"""Tiny previews of photos that have none yet: those of an older gallery, or of a rebuilt catalogue.

Ingestion makes all others, from the pixels it has at hand.
"""

from __future__ import annotations

import time

from PIL import Image as Pillow

from featurestore.errors import StoreError
from gallery.decoding import TINY_SIDE, tiny_webp
from gallery.errors import DiskFull, PhotoRefused
from gallery.models import Image
from gallery.originals import thumbnail_path
from gallery.thumbnails import Size

BATCH = 100
# None can be made of a photo that cannot be read, which need not be tried again and again.
NONE_POSSIBLE = b""


def make_missing_previews(seconds: float) -> int:
    """Make previews of ready photos for about so long; returns how many were looked at.

    Raises DiskFull.
    """
    looked_at = 0
    stop = time.monotonic() + seconds
    while time.monotonic() < stop:
        batch = list(Image.objects.ready().without_preview().order_by("-pk")[:BATCH])
        if not batch:
            break
        for image in batch:
            image.preview = _preview(image)
        Image.objects.bulk_update(batch, ["preview"])
        looked_at += len(batch)
    return looked_at


def _preview(image: Image) -> bytes:
    try:
        with Pillow.open(thumbnail_path(image, Size.GRID)) as thumbnail:
            # A JPEG is decoded at an eighth of its size, which is enough.
            thumbnail.draft("RGB", (TINY_SIDE, TINY_SIDE))
            return tiny_webp(thumbnail.convert("RGB"), image.width, image.height)
    except DiskFull:
        # Says nothing about this photo.
        raise
    except (StoreError, PhotoRefused, OSError, ValueError, SyntaxError):
        return NONE_POSSIBLE
