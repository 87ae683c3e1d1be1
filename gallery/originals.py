"""Originals and their small versions, wherever they lie at the moment; deletion of all of them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path

from django.db import DatabaseError
from PIL import Image as Pillow

from featurestore.errors import ImageDamaged, ImageNotStored
from gallery import components
from gallery.decoding import read_photo, shrunken_jpeg
from gallery.errors import refusing_full_disk
from gallery.models import Image
from gallery.tasks import schedule_tending
from gallery.thumbnails import Size


def read_original(image: Image) -> bytes:
    """The bytes as uploaded, from the spool or the store.

    Raises featurestore.errors.StoreError where neither has them undamaged.
    """
    if image.spool_name:
        try:
            path = components.spool().path(image.spool_name)
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() != image.sha256:
                raise ImageDamaged(image.pk, path)
            return data
        except FileNotFoundError:
            # A worker has moved it into the store since the row was read.
            pass
    return components.store().read_image(image.pk)


def give_up_original(spool_name: str) -> bool:
    """Remove a file of the spool that has become no photo; whether that is certain.

    A row may be there although making it failed: where the connection broke, or this process was to
    end, just when it was committed. Where the database cannot tell, a worker settles it later.
    """
    try:
        is_owned = Image.objects.filter(spool_name=spool_name).exists()
    except DatabaseError:
        return False
    if not is_owned:
        components.spool().remove(spool_name)
    return not is_owned


def original_pixels(image: Image, longest_side: int) -> Pillow.Image:
    """The photo decoded from its original, as `read_pixels` does it.

    Raises StoreError or PhotoRefused where the original is lost or damaged.
    """
    return read_photo(io.BytesIO(read_original(image)), longest_side)[1]


def thumbnail_path(image: Image, size: Size) -> Path:
    """The file of a thumbnail, which is made now where there is none.

    Raises StoreError or PhotoRefused where the original is lost or damaged, or DiskFull.
    """
    thumbnails = components.thumbnails()
    path = thumbnails.path(image.sha256, size)
    if not path.exists():
        with refusing_full_disk():
            jpeg = shrunken_jpeg(original_pixels(image, size), size)
            thumbnails.keep(image.sha256, size, jpeg)
        if image.pk in components.store().deleted_ids():
            # It may have come into its place after the deletion had looked there.
            thumbnails.remove(image.sha256)
            raise ImageNotStored(image.pk)
    return path


def delete_images(images: Iterable[Image]) -> None:
    """Delete images everywhere, for ever.

    The store comes first: should this be killed, the next tending ends what it began.

    Raises DiskFull, which changes nothing: even a deletion is written down.
    """
    doomed = list(images)
    if not doomed:
        return
    with refusing_full_disk():
        # First, because it also ends what this leaves undone when it is killed.
        schedule_tending()
        components.store().delete(image.pk for image in doomed)
    for image in doomed:
        components.spool().remove(image.spool_name)
        components.thumbnails().remove(image.sha256)
    # Last, because without its row nobody would know whose files are left to remove.
    Image.objects.filter(pk__in=[image.pk for image in doomed]).delete()
